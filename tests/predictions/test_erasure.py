"""`forget` erases a person and proves it: nothing is left in the store, the spool, or the files beside them."""

import gzip
import html
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pyarrow.parquet as pq
import pytest

from app.commands.predicted_files import remember_output
from noria.bundle import Bundle
from noria.bundle.erasure import erase_from_bundle
from noria.config import UseCase
from noria.config.serving import SpoolConfig
from noria.deployment.deployment_state import spool_in_use
from noria.predictions import Feedback, PredictionStore
from noria.predictions.erasure import ErasureResult, Reach, erase_entity, facts
from noria.predictions.privacy import Redactor
from noria.predictions.records import EntityRecords
from noria.predictions.spool.writer import SpoolWriter
from noria.system.workspace import Workspace
from tests.bundles import churn, make
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
    return erase_entity(entity, use_case, workspace, spool_in_use(workspace), Reach(erase_from_bundle))


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


def named(workspace: Workspace, *texts: str) -> list[Path]:
    """The files that hold one of the texts, as they are or as JSON or HTML."""
    forms = {form.encode() for text in texts for form in (text, json.dumps(text)[1:-1], html.escape(text))}
    return [path for path in files_below(workspace.folder.parent) if any(form in path.read_bytes() for form in forms)]


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
    pd.DataFrame({"customer": [ANN, BOB], "tenure": [1, 2], "churn": ["Yes", "No"]}).to_parquet(training)
    torn, no_table = artifacts / "torn.parquet", workspace.quarantine / "binary.csv"
    torn.write_bytes(training.read_bytes()[:50])
    no_table.write_bytes(b"\xff\xfe\x00")

    done = erased(ANN, case(), workspace)

    assert quarantined.read_text(encoding="utf-8") == f"customer,tenure,reason\n{BOB},2,bad\n"
    assert not damaged.exists()
    assert pq.read_table(window)["entity"].to_pylist() == [BOB, None]
    assert ANN not in (window.parent / "preview.html").read_text(encoding="utf-8")
    assert pq.read_table(training)["customer"].to_pylist() == [BOB]
    assert "refused a row of" in log.read_text(encoding="utf-8")
    assert {file for file, _ in done.cleaned} == {
        quarantined,
        damaged,
        window,
        window.parent / "preview.html",
        log,
        training,
    }
    left = dict(done.left)
    assert left.keys() == {torn, no_table}
    assert all(what.startswith("not searched") for what in left.values())
    assert named(workspace, ANN) == [torn]


def test_a_text_that_others_hold_too_is_no_failure(store: PredictionStore, workspace: Workspace) -> None:
    store.ingest([answered("a", "b", entities=["customer-1", "customer-10"])])
    done = erased("customer-1", case(), workspace)
    assert done.others == 1
    assert store.window(NOON)["entity"].tolist() == ["customer-10"]


STREET, MOTTO = "Quince & Ångström Row 7", "Zebulon's own words"
"""Values that one person alone has: a category of the model, and a text that only a request had."""


def test_an_unusual_value_is_erased_from_reports_results_and_bundles(workspace: Workspace) -> None:
    store = PredictionStore(workspace.predictions_url)
    names = ["street", "motto"]
    features = [["High Street", "none at all"]] * 60
    store.ingest([answered(*(f"o{n}" for n in range(60)), entities=[BOB] * 60, names=names, features=features)])
    store.ingest([answered("a1", entities=[ANN], names=names, features=[["High Street", MOTTO]])])
    train = churn().train.assign(customer=[f"someone-{n}" for n in range(len(churn().train))], street="High Street")
    train.loc[train.index[5:], "street"] = "Low Street"
    train.loc[train.index[2], ["customer", "street"]] = [ANN, STREET]
    artifacts, monitoring = workspace.folder.parent / "artifacts", workspace.monitoring / "evidently"
    monitoring.mkdir()
    table = artifacts / "valid_rows" / "table.parquet"
    table.parent.mkdir(parents=True)
    train.to_parquet(table)
    (table.parent / "preview.html").write_text(train.head().to_html(), encoding="utf-8")
    (workspace.reports / "exploration.html").write_text(f"<p>{html.escape(STREET)}</p>", encoding="utf-8")
    (monitoring / "snapshot.json").write_text(json.dumps({"unseen": [MOTTO], "kept": "High Street"}), encoding="utf-8")
    use_case = case()
    bundle = make(churn()._replace(use_case=use_case, train=train), "tree", artifacts / "champion" / "bundle")
    answers, rows = bundle.predict(train), len(bundle.reference())
    assert len(named(workspace, ANN, STREET, MOTTO)) >= 5

    done = erased(ANN, use_case, workspace)

    assert (done.values, len(done.left)) == (2, 1)
    ((place, why),) = done.left
    assert place == bundle.folder
    assert "manifest.json" in why  # the category is a part of the model
    assert named(workspace, ANN, STREET, MOTTO) == [bundle.folder / "manifest.json"]
    again = Bundle.load(bundle.folder)
    assert len(again.reference()) == rows - 1
    assert again.predict(train).equals(answers)
    assert json.loads((monitoring / "snapshot.json").read_text(encoding="utf-8"))["kept"] == "High Street"
    assert store.counts().predictions == 60
    store.close()


def test_the_row_of_a_person_without_a_word_of_its_own_leaves_the_bundle(workspace: Workspace) -> None:
    train = churn().train.head(1000).reset_index(drop=True)
    train = train.assign(customer=[f"someone-{n}" for n in range(len(train))])
    row = train.iloc[4]
    table = workspace.folder.parent / "artifacts" / "valid_rows" / "table.parquet"
    table.parent.mkdir(parents=True)
    train.to_parquet(table)
    bundle = make(churn()._replace(use_case=case(), train=train), "linear", table.parents[1] / "refit" / "bundle")

    def occurrences(rows: pd.DataFrame) -> int:
        same = (rows["tenure"] == row["tenure"]) & (rows["total_charges"] == row["total_charges"])
        return int(same.sum())

    before = occurrences(bundle.reference())
    done = erased("someone-4", case(), workspace)
    assert before == 1
    assert occurrences(Bundle.load(bundle.folder).reference()) == 0
    assert occurrences(bundle.reference()) == 0  # of one that was loaded before, too
    assert bundle.folder in dict(done.cleaned)
    assert not done.left


def test_packed_files_and_those_of_others_are_searched_and_named(workspace: Workspace, tmp_path: Path) -> None:
    other = workspace.folder.parent / "another_case" / "notes.txt"
    other.parent.mkdir(parents=True)
    packed, archive, output = workspace.folder / "log.gz", workspace.folder / "kept.zip", tmp_path / "predicted.parquet"
    packed.write_bytes(gzip.compress(ANN.encode()))
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("inside.txt", f"about {ANN} and nobody else")
    pd.DataFrame({"customer": [BOB, ANN, BOB, ANN, BOB], "n": range(5)}).to_parquet(output, compression="gzip")
    other.write_text(f"{ANN} and {ANN}-2", encoding="utf-8")
    reach = Reach(erase_from_bundle, outputs=[output], beyond=["the artifact store s3://away"])
    done = erase_entity(ANN, case(), workspace, spool_in_use(workspace), reach)
    assert dict(done.left).keys() == {packed, archive, output, other}
    assert ANN in other.read_text(encoding="utf-8")
    assert "s3://away" in dict(facts(done))["not reached"]  # type: ignore[operator]


def test_longer_names_of_others_are_left_alone_in_files(workspace: Workspace) -> None:
    log = workspace.service / "server.log"
    log.write_text("customer-1 failed, customer-10 did not\ncustomer-1\n", encoding="utf-8")
    done = erased("customer-1", case(), workspace)
    assert log.read_text(encoding="utf-8") == "********** failed, customer-10 did not\n**********\n"
    assert not done.left


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
    with raises("predictions.store_elsewhere", "sqlite:///other.db"):
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
    output = tmp_path / "predicted.csv"
    output.write_text(f"customer,prediction\n{ANN},Yes\n", encoding="utf-8")
    remember_output(workspace, str(output))
    listed = command("forget", "--entity", ANN, "--config", config)
    assert (listed.code, output.exists()) == (0, True)
    assert str(output) in listed.out.replace("\n", "")
    output.unlink()
    again = command("forget", "--entity", ANN, "--config", config)
    assert f"Nothing was stored about {ANN}." in again.out
    nameless = write_config(small_case("churn", Path("customers.csv")), tmp_path / "nameless.yaml")
    refused = command("forget", "--entity", ANN, "--config", nameless)
    assert refused.code == 2
    assert "data.id" in refused.err
    assert kept.counts().predictions == 1
