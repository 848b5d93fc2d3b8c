"""A store of any age becomes the newest one; a failed upgrade leaves it as it was."""

import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from noria.predictions import Feedback, PredictionStore, migrate
from noria.predictions.sql_tables import metadata
from tests.errors_raised import raises
from tests.predictions.conftest import Direct
from tests.predictions.events import NOON, answered

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).parents[2]
# what Noria made before revisions were counted
OLD = """
CREATE TABLE predictions (
  seq INTEGER NOT NULL, id VARCHAR(64) NOT NULL, at DATETIME NOT NULL, request_id VARCHAR(64) NOT NULL,
  model VARCHAR(64) NOT NULL, version VARCHAR(64) NOT NULL, variant VARCHAR(64) NOT NULL, entity VARCHAR(255),
  features JSON NOT NULL, prediction JSON NOT NULL, probability FLOAT, decision VARCHAR(16) NOT NULL,
  warning VARCHAR NOT NULL, latency_ms FLOAT NOT NULL, label_id VARCHAR(64), label JSON, labelled_at DATETIME,
  PRIMARY KEY (seq), UNIQUE (id));
CREATE INDEX ix_predictions_at ON predictions (at);
CREATE INDEX ix_predictions_entity ON predictions (entity);
CREATE TABLE labels (
  seq INTEGER NOT NULL, id VARCHAR(64) NOT NULL, prediction_id VARCHAR(64), entity VARCHAR(255), label JSON NOT NULL,
  at DATETIME NOT NULL, pending BOOLEAN NOT NULL, PRIMARY KEY (seq));
CREATE INDEX ix_labels_prediction_id ON labels (prediction_id);
CREATE INDEX ix_labels_entity ON labels (entity);
CREATE INDEX labels_pending ON labels (pending) WHERE pending;
INSERT INTO predictions VALUES (1, 'p1', '2026-05-01 12:00:00.000000', 'r1', 'churn', '1', 'champion', 'c1',
  '{"tenure": 3}', '"Yes"', 0.7, 'act', '', 2.5, NULL, NULL, NULL);
INSERT INTO labels VALUES (1, 'l1', 'p2', NULL, '"No"', '2026-05-01 12:00:00.000000', 1);
"""


def make_old(file: Path) -> str:
    with sqlite3.connect(file) as old:
        old.executescript(OLD)
    old.close()
    return f"sqlite:///{file}"


def dump(file: Path) -> list[str]:
    with sqlite3.connect(file) as opened:
        return list(opened.iterdump())


def test_a_store_of_the_old_kind_is_upgraded_with_its_rows(tmp_path: Path) -> None:
    store = PredictionStore(make_old(tmp_path / "p.db"))
    store.ingest([answered("p2"), answered("s", variant="new", shadow_of=["p1"])])
    assert store.add_labels([Feedback(entity="c1", label="Yes")]) == [True]
    window = store.window(NOON, shadows=True)
    assert window.set_index("prediction_id")["label"].to_dict() == {"p1": "Yes", "p2": "No", "s": "Yes"}
    assert store.counts().predictions == 2, "what earlier versions kept counts as production"
    store.close()
    PredictionStore(f"sqlite:///{tmp_path / 'p.db'}").close()  # a second start has nothing to do


def test_migrations_lead_to_the_tables_that_the_code_uses(store: PredictionStore, url: str) -> None:
    engine = create_engine(url)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_the_newest_revision_is_the_one_that_a_start_looks_for() -> None:
    assert ScriptDirectory(str(Path(migrate.__file__).with_name("migrations"))).get_current_head() == migrate.HEAD


def test_a_failed_upgrade_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "p.db"
    url = make_old(file)
    with sqlite3.connect(file) as old:
        old.execute("CREATE TABLE events (something INTEGER)")  # in the way of the last step
    before = dump(file)
    with raises("predictions.store_failed", "events"):
        PredictionStore(url)
    assert dump(file) == before


def test_a_failed_upgrade_leaves_an_empty_database_empty(
    url: str, direct: Direct, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "migrations"
    shutil.copytree(Path(migrate.__file__).with_name("migrations"), broken)
    with (broken / "versions" / "0002_variants_and_events.py").open("a") as script:
        script.write("    op.execute('SELECT no_such_thing')\n")
    monkeypatch.setattr(migrate, "_SCRIPTS", broken)
    with raises("predictions.store_failed", "no_such_thing"):
        PredictionStore(url)
    is_sqlite = url.startswith("sqlite")
    tables = "sqlite_master" if is_sqlite else "pg_tables WHERE schemaname = 'public'"
    assert direct.rows(f"SELECT * FROM {tables}") == []  # noqa: S608


def test_a_store_of_a_newer_noria_is_left_alone(store: PredictionStore, url: str, direct: Direct) -> None:
    direct.run("UPDATE alembic_version SET version_num = '9999'")
    with raises("predictions.store_newer"):
        PredictionStore(url)
    assert direct.rows("SELECT version_num FROM alembic_version") == [("9999",)]


def test_processes_that_start_at_once_do_not_clash(url: str, direct: Direct) -> None:
    code = (
        "import sys; from noria.predictions import PredictionStore; from tests.predictions.events import answered;"
        "sys.stdin.readline(); store = PredictionStore(sys.argv[1]); store.ingest([answered()])"
    )
    starting = [
        subprocess.Popen([sys.executable, "-c", code, url], cwd=PROJECT, stdin=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    for process in starting:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    for process in starting:
        process.communicate(timeout=60)
    assert [process.returncode for process in starting] == [0, 0, 0, 0]
    assert direct.rows("SELECT version_num FROM alembic_version") == [(migrate.HEAD,)]
    assert direct.rows("SELECT count(*) FROM predictions") == [(4,)]
