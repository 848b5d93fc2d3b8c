"""An image with a champion and a canary, as a cluster's pods run it: every server has the same order in its image."""

from collections.abc import Iterator
from typing import Any

import pytest
from bundles import churn, make
from docker_engine import Container, address, docker

from noria.bundle import Bundle
from noria.client import Client
from noria.config.serving import CanaryConfig
from noria.traffic import plan_transforms
from noria.traffic.activation import CanaryState, PlannedVariant, TrafficPlan
from tests.container.conftest import TOKENS, built, started, wait_until_ready
from tests.errors_raised import raises
from tests.spool.spooled import eventually

pytestmark = [pytest.mark.docker, pytest.mark.e2e]
_PLAN = CanaryConfig(steps=[0.4, 0.7], step_minutes=0.02, min_requests=20, max_latency_ratio=1000)


@pytest.fixture(scope="module")
def image(engine: None, bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    case = churn()
    rival = make(case, "linear", tmp_path_factory.mktemp("several") / "bundle", version="2")
    rival.folder.chmod(0o700)  # as folders are that artifacts were fetched into
    challenger = PlannedVariant(name="challenger", bundle=rival.folder, version="2", share=0.0)
    plan = plan_transforms.with_variant(TrafficPlan.of(bundle.folder, bundle.manifest.version), challenger)
    state = CanaryState(variant="challenger", plan=_PLAN, problem=case.use_case.problem, metric="roc_auc")
    with built(plan_transforms.with_canary(plan, state)) as name:
        yield name


@pytest.fixture(scope="module")
def container(image: str) -> Iterator[Container]:
    with started(image) as running:
        yield running


def client_of(container: Container) -> Client:
    tokens = container.tokens
    return Client(address(container.name), token=tokens[TOKENS[0]], admin_token=tokens[TOKENS[2]])


def shares(container: Container) -> dict[str, Any]:
    with client_of(container) as client:
        return {each["name"]: each["share"] for each in client.model().variants}


def test_both_answer_the_canary_grows_by_itself_and_goes_on_after_a_restart(
    container: Container, bundle: Bundle
) -> None:
    assert shares(container) == {"champion": 0.6, "challenger": 0.4}
    row = bundle.examples()[0]
    with client_of(container) as client:
        asked = [client.predict([row])[0] for _ in range(80)]
        assert {(each.variant, each.version) for each in asked} == {("champion", "1"), ("challenger", "2")}
    assert eventually(lambda: shares(container)["challenger"] == 0.7, 30)
    docker("restart", container.name)
    again = Container(container.name, address(container.name), container.tokens)
    wait_until_ready(again)
    assert shares(again)["challenger"] == 0.7


def test_one_of_several_servers_is_not_told_otherwise(container: Container) -> None:
    with client_of(container) as client, raises("traffic.fixed_in_image"):
        client.change_shares({"challenger": 0.1})


def test_what_is_in_the_image_tells_no_path_of_the_machine_that_built_it(container: Container) -> None:
    plan = docker("exec", container.name, "cat", "/app/bundle/order.json").stdout
    assert '"1-' in plan and '"2-' in plan
    assert "/" not in "".join(line for line in plan.splitlines() if '"bundle"' in line)
