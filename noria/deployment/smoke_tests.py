"""Smoke tests: does the server answer real rows as the bundle does in process?"""

import math
from dataclasses import replace

from noria.bundle import Bundle
from noria.client import Client
from noria.deployment.deployment_state import Deployment
from noria.predictions import SMOKE
from noria.system.errors import NoriaError
from noria.traffic.activation import PlannedVariant

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

    rows = bundle.examples()[: deployment.settings.max_rows]
    expected = _with_policy_of(bundle, variant).predict(pd.DataFrame(rows)).to_dict("records")
    with Client.with_tokens(deployment.url) as client:
        answers = client.predict(rows, purpose=SMOKE, variant="" if variant is None else variant.name)
    for answer, wanted in zip(answers, expected, strict=True):
        if answer.version != bundle.manifest.version:
            raise _failed(deployment, f"version {answer.version} answers instead of {bundle.manifest.version}")
        got = answer.model_dump(include={"prediction", "probability", "decision"})
        same = all(_is_close(got[name], wanted[name]) for name in ("prediction", "probability"))
        if not same or answer.decision != wanted["decision"]:
            raise _failed(deployment, f"it answers {got}, in process it is {wanted}")


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
