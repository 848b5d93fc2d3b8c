"""A store that fails: a clear error, nothing half kept, and it works again when its cause is gone."""

import subprocess
import sys
import threading
from pathlib import Path

import sqlalchemy

from noria.predictions import Feedback, PredictionStore
from tests.errors_raised import raises
from tests.predictions.conftest import Direct
from tests.predictions.events import NOON, answered
from tests.predictions.postgres import database
from tests.spool.spooled import eventually

PROJECT = Path(__file__).parents[2]
_UNTIL_FULL = """
import resource, signal, sys
from noria.system.errors import NoriaError
from noria.predictions import PredictionStore
from tests.predictions.events import answered
store = PredictionStore(sys.argv[1])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))
try:
    for number in range(10_000):
        store.ingest([answered(f"{number}-a", f"{number}-b")])
        print(number, flush=True)
except NoriaError as error:
    print("full:", error.what)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    store.ingest([answered("when there is room again")])
"""


def test_a_full_disk_loses_nothing_that_was_kept_and_keeps_no_half(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'p.db'}"
    told = subprocess.run(
        [sys.executable, "-c", _UNTIL_FULL, url], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    *kept, error = told.stdout.splitlines()
    assert error.startswith("full: the prediction store does not work")
    assert len(kept) > 10
    found = set(PredictionStore(url).window(NOON)["prediction_id"])
    assert found == {f"{n}-{row}" for n in kept for row in "ab"} | {"when there is room again"}


def break_all(other: Direct, name: str) -> None:
    """End every connection to a database; whoever is asked to end takes a moment."""
    where = f"FROM pg_stat_activity WHERE datname = '{name}' AND pid <> pg_backend_pid()"
    other.run(f"SELECT pg_terminate_backend(pid) {where}")
    assert eventually(lambda: other.rows(f"SELECT pid {where}") == [])


def test_a_database_that_breaks_its_connections_is_found_again(postgres: str) -> None:
    with database(postgres) as url:
        store = PredictionStore(url)
        store.ingest([answered("before")])
        name = sqlalchemy.make_url(url).database
        other = Direct(postgres)
        break_all(other, str(name))
        assert store.ingest([answered("after")]) == 1
        other.run(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false")
        break_all(other, str(name))
        with raises("predictions.store_failed"):
            store.ingest([answered("meanwhile")])
        other.run(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true")
        assert store.ingest([answered("meanwhile"), answered("again")]) == 2
        assert store.counts().predictions == 4
        store.close()
        other.close()


def test_labels_and_predictions_that_come_at_once_do_not_miss_each_other(store: PredictionStore, url: str) -> None:
    """Each label is given while its prediction is being kept by somebody else."""
    other = PredictionStore(url)
    ids = [f"p{number}" for number in range(60)]
    labelling = threading.Thread(target=lambda: [other.add_labels([Feedback(id=each, label="Yes")]) for each in ids])
    labelling.start()
    for each in ids:
        store.ingest([answered(each)])
    labelling.join()
    other.close()
    assert store.counts().labelled == len(ids)
    assert store.counts().unmatched_labels == 0
