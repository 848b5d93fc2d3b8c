"""Nothing of a protected column is left in what is kept, and a case still matches its past."""

import hashlib
import hmac
import subprocess
import sys
from pathlib import Path

import pytest

from noria.config.serving import PrivacyConfig
from noria.predictions.privacy import Redactor, key_from_environment
from tests.errors_raised import raises

PROJECT = Path(__file__).parents[2]
NAMES = ["email", "age", "city", "plan"]
ROW = ["ann@example.org", 41.0, "Reykjavík", "A"]
PRIVACY = PrivacyConfig(hash=["email", "customer"], drop=["age"], truncate={"city": 3})


def redactor(privacy: PrivacyConfig = PRIVACY, key: bytes | None = b"secret", id: str | None = "customer") -> Redactor:
    return Redactor(privacy, NAMES, key, id=id)


def test_columns_are_hashed_dropped_and_cut() -> None:
    row = list(ROW)
    kept = redactor().row(row)
    expected = hmac.new(b"secret", b"email\0ann@example.org", hashlib.sha256).hexdigest()[:32]
    assert kept == [expected, None, "Rey", "A"]
    assert row == ROW


def test_the_same_case_matches_its_past_with_the_same_key_only() -> None:
    case = redactor().entity("c-17")
    assert case == redactor().entity("c-17")
    assert case is not None
    assert len(case) == 32
    assert len({case, redactor().entity("c-18"), redactor(key=b"another").entity("c-17")}) == 3


def test_columns_cannot_be_joined_by_their_hashes() -> None:
    same = Redactor(PrivacyConfig(hash=["a", "b"]), ["a", "b"], b"secret").row(["x", "x"])
    assert same[0] != same[1]


@pytest.mark.parametrize(
    ("privacy", "kept"),
    [
        (PrivacyConfig(), "c-17"),
        (PrivacyConfig(drop=["customer"]), None),
        (PrivacyConfig(truncate={"customer": 2}), "c-"),
    ],
)
def test_a_case_is_treated_as_its_column_is(privacy: PrivacyConfig, kept: str | None) -> None:
    assert redactor(privacy).entity("c-17") == kept
    assert redactor(privacy).entity(None) is None


def test_labels_find_a_case_unless_it_is_kept_in_part_only() -> None:
    assert redactor().label_entity("c-17") == redactor().entity("c-17")
    assert redactor(PrivacyConfig()).label_entity("c-17") == "c-17"
    for privacy in (PrivacyConfig(drop=["customer"]), PrivacyConfig(truncate={"customer": 2})):
        with raises("predictions.id_not_kept", "`customer`"):
            redactor(privacy).label_entity("c-17")


def test_a_number_is_the_same_however_it_was_sent() -> None:
    hashed = Redactor(PrivacyConfig(hash=["n"]), ["n"], b"k")
    assert hashed.row([3]) == hashed.row([3.0]) == hashed.row(["3"])
    assert hashed.row([3.5]) != hashed.row([3])
    assert hashed.row([True]) != hashed.row([1])
    assert hashed.row([None]) == [None]
    assert Redactor(PrivacyConfig(truncate={"n": 2}), ["n"]).row([12345.0]) == ["12"]


def test_nothing_named_means_nothing_is_changed() -> None:
    plain = redactor(PrivacyConfig(), key=None)
    row = list(ROW)
    assert not plain.active
    assert plain.row(row) is row
    assert plain.warning("email: unseen category 'x'") == "email: unseen category 'x'"
    assert redactor().active


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("", ""),
        ("plan: unseen category 'Z'", "plan: unseen category 'Z'"),
        ("email: unseen category 'ann@example.org'", "email: unusual"),
        ("plan: unseen category 'Z'; age: 41 is outside", "age: unusual; plan: unusual"),
        ("email: unseen category 'x; plan: my secret'", "email: unusual; plan: unusual"),
    ],
)
def test_a_warning_does_not_tell_what_is_not_kept(text: str, kept: str) -> None:
    assert redactor().warning(text) == kept


def test_hashing_without_a_key_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NORIA_PRIVACY_KEY", "")
    with raises("predictions.key_missing") as caught:
        redactor(key=key_from_environment())
    assert "NORIA_PRIVACY_KEY" in caught.value.where
    monkeypatch.setenv("NORIA_PRIVACY_KEY", "secret")
    assert redactor(key=key_from_environment()).entity("c") == redactor().entity("c")


def test_an_unknown_column_is_refused_with_a_hint() -> None:
    with raises("predictions.column_unknown", "`emial`") as caught:
        redactor(PrivacyConfig(drop=["emial"]))
    assert caught.value.where == "serving.privacy.drop"
    assert "`email`" in caught.value.fix
    with raises("predictions.column_unknown", "`customer`"):
        redactor(PrivacyConfig(drop=["customer"]), id=None)


def test_what_answers_requests_loads_no_database_and_no_tables() -> None:
    code = (
        "import sys; import noria.predictions, noria.predictions.privacy, noria.predictions.spool.events;"
        "assert not {'sqlalchemy', 'pandas', 'alembic', 'pydantic'} & set(sys.modules), sorted(sys.modules);"
        "import noria.predictions.store; assert not {'pandas', 'numpy', 'alembic'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=PROJECT, check=True)
