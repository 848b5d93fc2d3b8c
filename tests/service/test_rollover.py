"""A new version takes over while clients go on asking."""

import shutil
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from serving import Served

from noria.bundle import Bundle
from noria.deployment import read_state, start_or_roll
from noria.models.fitted_model import fit
from tests.errors_raised import raises
from tests.load import Load

pytestmark = pytest.mark.e2e


def test_no_request_fails_while_a_new_version_takes_over(
    served: Served, second_bundle: Bundle, held_out: list[dict[str, Any]]
) -> None:
    began, before = datetime.now(UTC), served.client.model().version
    new = second_bundle if before == "1" else served.bundle
    with Load(served.deployment.url, [held_out[0]] * 3) as load:
        load.wait_for(30)
        rolled = start_or_roll(served.use_case, served.workspace, served.bento, new)
        rolled_at = time.monotonic()
        load.wait_for(30)
    answers = [(each.answer.id, each.answer.version) for each in load.answers]
    assert load.failures == []
    assert rolled.pid == served.deployment.pid
    assert {version for _, version in answers} == {"1", "2"}
    assert {answer.version for answer in load.asked_since(rolled_at)} == {rolled.version}
    kept = served.store().window(began).set_index("prediction_id")["version"]
    assert len(kept) == len(answers)
    assert kept.to_dict() == dict(answers)


def test_a_damaged_bundle_is_not_taken_over(served: Served, tmp_path: Path) -> None:
    before = served.client.model().version
    shutil.copytree(served.bundle.folder, tmp_path / "bundle")
    bundle = Bundle.load(tmp_path / "bundle")
    model = tmp_path / "bundle" / "model.ubj"
    model.write_bytes(model.read_bytes()[:-1])
    with raises("bundle.checksum_mismatch", "[bundle.checksum_mismatch]"):
        start_or_roll(served.use_case, served.workspace, served.bento, bundle)
    _goes_on(served, before)


def test_a_bundle_that_fails_the_smoke_test_is_put_back(served: Served, churn: Any) -> None:
    before = served.client.model().version
    other = fit("linear", {}, churn.iloc[:1500], served.use_case)
    mistaken = Bundle.open(served.bundle.folder)
    vars(mistaken)["fitted"] = other
    with raises("deployment.smoke_test_failed"):
        start_or_roll(served.use_case, served.workspace, served.bento, mistaken)
    _goes_on(served, before)


def _goes_on(served: Served, version: str) -> None:
    assert served.client.model().version == version
    assert {answer.version for answer in served.client.predict(served.bundle.examples())} == {version}
    deployment = read_state(served.workspace)
    assert deployment is not None
    assert (deployment.pid, deployment.version) == (served.deployment.pid, version)
