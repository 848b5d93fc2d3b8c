"""Labels by case where cases are not kept as they are."""

from types import SimpleNamespace
from typing import Any

import pytest

from noria.config.serving import PrivacyConfig
from noria.predictions import Feedback
from noria.predictions.privacy import Redactor
from noria.serving.http_errors import HTTPError
from service.feedback import store_feedback


@pytest.mark.parametrize("privacy", [PrivacyConfig(drop=["customer"]), PrivacyConfig(truncate={"customer": 2})])
def test_a_label_by_a_case_that_is_kept_in_part_only_is_refused(privacy: PrivacyConfig) -> None:
    """Cut to two characters, it would go to everybody whose name begins so."""
    active: Any = SimpleNamespace(redactors=[Redactor(privacy, ["tenure"], id="customer")])
    nothing: Any = None
    with pytest.raises(HTTPError) as caught:
        store_feedback(nothing, active, [Feedback(entity="C-1017", label="Yes")])
    assert caught.value.status == 422
    assert "customer" in caught.value.body.error
