"""`forget` erases a person and proves it: nothing is left in the store, the spool, or the files beside them."""

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pyarrow.parquet as pq
import pytest

from noria.config import UseCase
from noria.config.serving import SpoolConfig
from noria.deployment.deployment_state import spool_in_use
from noria.predictions import Feedback, PredictionStore
from noria.predictions.erasure import ErasureResult, erase_entity
from noria.predictions.privacy import Redactor
from noria.predictions.records import EntityRecords
from noria.predictions.spool.writer import SpoolWriter
from noria.system.errors import NoriaError
from noria.system.workspace import Workspace
from tests.conftest import Command
from tests.errors_raised import raises
from tests.predictions.conftest import Direct
from tests.predictions.events import NOON, answered, failed
from tests.small_cases import small_case, write_config

ANN, BOB = "customer-Ånn-0017", "customer-Bob-0018"


@pytest.fixture
def workspace(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("NORIA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NORIA_PREDICTIONS_URL", url)
    monkeypatch.delenv("NORIA_SPOOL_DIR", raising=False)
    return Workspace("churn")


def erased(entity: str, use_case: UseCase, workspace: Workspace) -> ErasureResult:
    return erase_entity(entity, use_case, workspace, spool_in_use(workspace))


def case(**privacy: object) -> UseCase:
    return small_case("churn", Path("customers.csv"), data={"id": "customer"}, serving={"privacy": privacy})


@pytest.fixture
def kept(store: PredictionStore) -> PredictionStore:
    """Two people; one of them with all that there can be."""
    store.ingest(
        [
            answered("a1", "b1", entities=[ANN, BOB], features=[["x", ANN], ["y", "-"]]),
            answered("s1", variant="new", shadow_of=["a1"], entities=[ANN], warnings=[f"contract: unseen '{ANN}'"]),
            answered("a2", second=60, entities=[ANN]),
            *(failed("new", detail=f"row of {ANN} failed"), failed("new", detail="prediction a2 failed")),
            failed("new", detail="something else"),
        ]
    )
    store.add_labels([Feedback(entity=ANN, label="No"), Feedback(id="a1", label="Yes"), Feedback(id="b1", label="Yes")])
    return store


def everything(direct: Direct) -> str:
    tables = [direct.rows(f"SELECT * FROM {table}") for table in ("predictions", "labels", "events")]  # noqa: S608
    return json.dumps(tables, default=str, ensure_ascii=False)


def files_below(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def test_a_person_is_erased_and_nobody_else(kept: PredictionStore, direct: Direct, workspace: Workspace) -> None:
    done = erased(ANN, case(), workspace)
    assert done.before == EntityRecords(predictions=3, labels=2, events=2)
    assert not done.after
    assert ANN not in everything(direct)
    assert kept.window(NOON, shadows=True)[["prediction_id", "label"]].to_numpy().tolist() == [["b1", "Yes"]]
    assert sorted(direct.rows("SELECT detail, count FROM events WHERE kind = 'error'")) == [
        ("(erased)", 1),
        ("(erased)", 1),
        ("something else", 1),
    ]
    assert direct.rows("SELECT detail FROM events WHERE kind = 'forgotten'") == [
        ("3 predictions and 2 labels of one case",)
    ]
    assert not erased(ANN, case(), workspace).before


def test_no_byte_is_left_in_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NORIA_HOME", str(tmp_path))
    monkeypatch.delenv("NORIA_PREDICTIONS_URL", raising=False)
    workspace = Workspace("churn")
    store = PredictionStore(workspace.predictions_url)  # stays open, as that of a running service
    features = [[f"note of {ANN}", n] for n in range(300)]
    store.ingest([answered(*(f"a{n}" for n in range(300)), entities=[ANN] * 300, features=features)])
    store.ingest([answered("b", entities=[BOB])])
    store.add_labels([Feedback(entity=ANN, label="Yes")])
    assert any(ANN.encode() in path.read_bytes() for path in files_below(tmp_path))

    done = erased(ANN, case(), workspace)

    assert done.bytes_before > 300
    assert (done.bytes_after, done.left) == (0, [])
    for path in files_below(tmp_path):
        assert ANN.encode() not in path.read_bytes(), path
        assert json.dumps(ANN)[1:-1].encode() not in path.read_bytes(), path
    assert store.counts().predictions == 1


def test_what_still_waits_in_the_spool_is_erased_too(store: PredictionStore, workspace: Workspace) -> None:
    workspace.spool.mkdir(parents=True)
    left_behind = SpoolWriter(workspace.spool, SpoolConfig())
    left_behind.append(answered("a1", entities=[ANN]))
    left_behind.append(answered("b1", entities=[BOB]))
    left_behind.close()
    assert any(ANN.encode() in path.read_bytes() for path in files_below(workspace.spool))
    done = erased(ANN, case(), workspace)
    assert done.before.predictions == 1
    assert not any(ANN.encode() in path.read_bytes() for path in files_below(workspace.spool))
    assert store.window(NOON)["prediction_id"].tolist() == ["b1"]


def test_a_hashed_person_is_found_by_the_plain_name(
    store: PredictionStore, workspace: Workspace, direct: Direct, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_case = case(hash=["customer"])
    hashed = Redactor(use_case.serving.privacy, [], b"secret", id="customer").entity(ANN)
    store.ingest([answered("new", "before", entities=[hashed, ANN]), answered("b1", entities=[BOB])])
    monkeypatch.delenv("NORIA_PRIVACY_KEY", raising=False)
    with raises("predictions.key_missing"):
        erased(ANN, use_case, workspace)
    assert store.counts().predictions == 3
    monkeypatch.setenv("NORIA_PRIVACY_KEY", "secret")
    assert erased(ANN, use_case, workspace).before.predictions == 2
    assert str(hashed) not in everything(direct)
    assert store.window(NOON)["prediction_id"].tolist() == ["b1"]


def test_files_beside_the_store_are_cleaned_or_told(kept: PredictionStore, workspace: Workspace) -> None:
    quarantined = workspace.quarantine / "rows.csv"
    quarantined.write_text(f'customer,tenure,reason\n{ANN},"1\n2",bad\n{BOB},2,bad\n', encoding="utf-8")
    damaged = workspace.spool / "000000000001-24-00.bad"
    damaged.parent.mkdir(parents=True)
    damaged.write_bytes(b"\x00torn" + ANN.encode())
    log = workspace.service / "server.log"
    log.write_text(f"refused a row of {ANN}\n", encoding="utf-8")
    artifacts = workspace.folder.parent / "artifacts"
    window, training = artifacts / "collect" / "table.parquet", artifacts / "split" / "table.parquet"
    for table in (window, training):
        table.parent.mkdir(parents=True)
    kept.ingest([answered("nobody")])
    kept.window(NOON)[["prediction_id", "entity", "label"]].to_parquet(window)
    (window.parent / "preview.html").write_text(f"<td>{ANN}</td>", encoding="utf-8")
    pd.DataFrame({"customer": [ANN, BOB], "tenure": [1, 2]}).to_parquet(training)
    torn, no_table = artifacts / "torn.parquet", workspace.quarantine / "binary.csv"
    torn.write_bytes(training.read_bytes()[:50])
    no_table.write_bytes(b"\xff\xfe\x00")

    done = erased(ANN, case(), workspace)

    assert quarantined.read_text(encoding="utf-8") == f"customer,tenure,reason\n{BOB},2,bad\n"
    assert not damaged.exists()
    assert pq.read_table(window)["entity"].to_pylist() == [BOB, None]
    assert ANN not in (window.parent / "preview.html").read_text(encoding="utf-8")
    assert sorted(rows for _, rows in done.cleaned) == [1, 1, 2]
    left = dict(done.left)
    assert (left.pop(training), left.pop(log)) == ("1 row of a training table", "named 1 time")
    assert left.keys() == {torn, no_table}
    assert all(what.startswith("not searched") for what in left.values())


def test_a_text_that_others_hold_too_is_no_failure(store: PredictionStore, workspace: Workspace) -> None:
    store.ingest([answered("a", "b", entities=["customer-1", "customer-10"])])
    done = erased("customer-1", case(), workspace)
    assert done.others == 1
    assert store.window(NOON)["entity"].tolist() == ["customer-10"]


@pytest.mark.parametrize("entity", ["3", "Yes", "%", "a_", "'; DROP TABLE labels; --", "x\x00y", "z" * 1000])
def test_odd_and_short_names_erase_that_case_alone(
    store: PredictionStore, workspace: Workspace, direct: Direct, entity: str
) -> None:
    store.ingest([answered("a", "b", entities=[entity, "another"]), failed("new", detail="3 rows, Yes")])
    store.add_labels([Feedback(entity=entity, label="Yes"), Feedback(entity="another", label="Yes")])
    assert erased(entity, case(), workspace).before.predictions == 1
    assert store.window(NOON)[["entity", "label"]].to_numpy().tolist() == [["another", "Yes"]]
    assert direct.rows("SELECT count(*) FROM labels") == [(1,)]


@pytest.mark.parametrize(
    ("entity", "has_id", "code"),
    [(ANN, False, "predictions.id_column_missing"), (" ", True, "predictions.entity_empty")],
)
def test_what_names_nobody_is_refused(workspace: Workspace, entity: str, has_id: bool, code: str) -> None:
    nameless = small_case("churn", Path("customers.csv"))
    with raises(code):
        erased(entity, case() if has_id else nameless, workspace)


def test_a_service_that_keeps_its_predictions_elsewhere_is_noticed(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "noria.deployment.deployment_state.read_state",
        lambda _: SimpleNamespace(settings=SimpleNamespace(predictions_url="sqlite:///other.db", spool=Path("x"))),
    )
    with pytest.raises(NoriaError, match=r"another prediction store: sqlite:///other\.db"):
        erased(ANN, case(), workspace)


@pytest.mark.parametrize("privacy", [{"drop": ["customer"]}, {"truncate": {"customer": 3}}])
def test_rows_that_name_nobody_are_said(
    store: PredictionStore, workspace: Workspace, privacy: dict[str, object]
) -> None:
    store.ingest([answered("a", "b", entities=[ANN, "cus"])])
    done = erased(ANN, case(**privacy), workspace)
    assert done.before.predictions == 1
    assert "newer rows name no" in done.note
    assert store.window(NOON)["prediction_id"].tolist() == ["b"]


def test_the_command_says_what_was_and_what_is(
    kept: PredictionStore, workspace: Workspace, command: Command, tmp_path: Path
) -> None:
    config = write_config(case(), tmp_path / "case.yaml")
    ended = command("forget", "--entity", ANN, "--config", config)
    assert ended.code == 0, ended.err
    assert f"{ANN} is erased." in ended.out
    assert "3 predictions, 2 labels, 2 events" in ended.out
    assert "0 predictions, 0 labels, 0 events" in ended.out
    again = command("forget", "--entity", ANN, "--config", config)
    assert f"Nothing was stored about {ANN}." in again.out
    nameless = write_config(small_case("churn", Path("customers.csv")), tmp_path / "nameless.yaml")
    refused = command("forget", "--entity", ANN, "--config", nameless)
    assert refused.code == 2
    assert "data.id" in refused.err
    assert kept.counts().predictions == 1
