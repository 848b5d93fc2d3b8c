"""Smoke tests: does the server answer the examples as the bundle does in process?"""

import math
from dataclasses import replace
from typing import Any

from noria.bundle import Bundle
from noria.client import Client
from noria.deployment.deployment_state import Deployment
from noria.predictions import SMOKE
from noria.system.errors import NoriaError
from noria.traffic.activation import PlannedVariant
from noria.traffic.smoke_key import smoke_key

_TOLERANCE = 1e-6


def smoke_test(deployment: Deployment, bundle: Bundle, variant: PlannedVariant | None = None) -> None:
    """Send the bundle's example rows over HTTP and compare with the bundle in process, numbers to 1e-6.

    Args:
        deployment: the server.
        bundle: the expected model.
        variant: the variant under test, with its decision policy; None: the assigned one.

    The predictions are recorded as smoke tests, which no count includes.

    Raises:
        NoriaError: an answer differs, or comes from another version.
    """
    import pandas as pd  # `status` should not wait for it

    rows = smoke_rows(bundle)[: deployment.settings.max_rows]
    expected = _with_policy_of(bundle, variant).predict(pd.DataFrame(rows)).to_dict("records")
    name = "" if variant is None else variant.name
    with Client.with_tokens(deployment.url) as client, smoke_key(deployment.log.parent) as key:
        answers = client.predict(rows, purpose=SMOKE, variant=name, smoke_key=key)
    for answer, wanted in zip(answers, expected, strict=True):
        if answer.version != bundle.manifest.version:
            raise _failed(deployment, f"version {answer.version} answers instead of {bundle.manifest.version}")
        got = answer.model_dump(include={"prediction", "probability", "decision"})
        same = all(_is_close(got[name], wanted[name]) for name in ("prediction", "probability"))
        if not same or answer.decision != wanted["decision"]:
            raise _failed(deployment, f"it answers {got}, in process it is {wanted}")


def smoke_rows(bundle: Bundle) -> list[dict[str, Any]]:
    """The bundle's examples; with features of earlier cases, at a time before all cases.

    A server may know more cases than the bundle, and would answer differently at a time that they count for.
    """
    schema = bundle.manifest.schema_
    if schema.history is None:
        return bundle.examples()
    time = next(column for column in schema.columns if column.name == schema.history.time)
    long_ago = "1900-01-01T00:00:00" + ("Z" if time.reading.timezone == "offset" else "")
    return [row | {time.name: long_ago} for row in bundle.examples()]


def _with_policy_of(bundle: Bundle, variant: PlannedVariant | None) -> Bundle:
    if variant is None or variant.policy is None:
        return bundle
    return replace(bundle, manifest=bundle.manifest.model_copy(update={"policy": variant.policy}))


def _is_close(over_http: object, in_process: object) -> bool:
    if isinstance(in_process, float):
        if math.isnan(in_process):
            return over_http is None
        return isinstance(over_http, float) and math.isclose(
            over_http, in_process, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE
        )
    return over_http == in_process


def _failed(deployment: Deployment, what: str) -> NoriaError:
    return NoriaError(
        f"the smoke test failed: {what}",
        code="deployment.smoke_test_failed",
        where=deployment.url,
        fix="see the log, then deploy again",
    )
