"""The image holds what serving needs and no more, and its container answers, recovers and keeps every answer."""

import io
import json
from typing import Any

import httpx
import pandas as pd
import pyarrow as pa
import pytest
from bundles import churn
from docker_engine import Container, address, docker

from noria.bundle import Bundle
from noria.client import Client
from tests.container.conftest import STRICT, wait_until_ready
from tests.errors_raised import raises
from tests.spool.spooled import eventually

pytestmark = [pytest.mark.e2e, pytest.mark.docker]

_STORED = """
import json, pathlib, sqlite3
rows = []
if pathlib.Path("/data/predictions.db").exists():
    store = sqlite3.connect("/data/predictions.db", timeout=60)
    if store.execute("select * from sqlite_master where name = 'predictions'").fetchall():
        rows = store.execute("select id from predictions").fetchall()
print(json.dumps([row[0] for row in rows]))
"""
"""The flusher makes file and tables, some time after the first answer."""
_WORKERS = """
import json, psutil
found = [p.pid for p in psutil.process_iter(["cmdline"])
         if (p.info["cmdline"] or [])[1:3] == ["-m", "_bentoml_impl.worker.service"]]
print(json.dumps(found))
"""
"""What ends while it is looked at, or has ended and is not taken away yet, has no command line."""


def rows(number: int) -> list[dict[str, Any]]:
    table = churn().test.head(number).drop(columns="churn").astype(object)
    return [
        {name: None if pd.isna(value) else value for name, value in row.items()} for row in table.to_dict("records")
    ]


def test_image_has_no_training_libraries_and_no_root(image: str) -> None:
    heavy = ["pandas", "sklearn", "xgboost", "zenml", "mlflow", "evidently", "pip"]
    program = f"import importlib.util as u, os; print([m for m in {heavy} if u.find_spec(m)], os.getuid())"
    assert docker("run", "--rm", *STRICT, image, "python", "-c", program).stdout.strip() == "[] 10001"


def test_without_tokens_it_does_not_start(image: str) -> None:
    ended = docker("run", "--rm", *STRICT, image, check=False)
    assert ended.returncode == 2
    assert "NORIA_PREDICT_TOKEN" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_answers_are_the_models(client: Client, bundle: Bundle) -> None:
    sent = rows(20)
    answers = client.predict(sent)
    expected = bundle.scores(pd.DataFrame(sent))
    assert [answer.probability for answer in answers] == pytest.approx(expected.tolist(), abs=1e-6)
    assert client.explain(sent[:1]).explanations[0].contributions


def test_a_table_is_answered(container: Container) -> None:
    sink = io.BytesIO()
    table = pa.Table.from_pandas(pd.DataFrame(rows(50)), preserve_index=False)
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    headers = {
        "Content-Type": "application/vnd.apache.arrow.stream",
        "Authorization": f"Bearer {container.tokens['NORIA_PREDICT_TOKEN']}",
    }
    answered = httpx.post(f"{container.url}/predict", content=sink.getvalue(), headers=headers, trust_env=False)
    assert answered.status_code == 200, answered.text
    assert pa.ipc.open_stream(answered.content).read_all().num_rows == 50


def test_without_its_token_nothing_is_answered(container: Container) -> None:
    with Client(container.url) as stranger, raises("request.token_missing", 401):
        stranger.predict(rows(1))


def test_a_killed_worker_is_replaced_and_every_answer_is_kept_once(container: Container, client: Client) -> None:
    answered = [answer.id for answer in client.predict(rows(10))]
    before = container.python(_WORKERS)
    assert before
    container.python(f"import json, os; [os.kill(pid, 9) for pid in {before}]; print(json.dumps(None))")
    assert eventually(lambda: replaced(container, before)), container.log()
    wait_until_ready(container)
    with Client(container.url, token=container.tokens["NORIA_PREDICT_TOKEN"]) as anew:  # the connection was cut
        answered += [answer.id for answer in anew.predict(rows(10))]
    assert eventually(lambda: set(answered) <= set(container.python(_STORED)))
    stored = container.python(_STORED)
    assert len(stored) == len(set(stored))


def replaced(container: Container, before: list[int]) -> bool:
    now = container.python(_WORKERS)
    return len(now) == len(before) and not set(now) & set(before)


def test_it_is_healthy_without_curl(container: Container) -> None:
    check = docker("inspect", "--format", "{{json .Config.Healthcheck.Test}}", container.name).stdout
    assert docker("exec", container.name, *json.loads(check)[1:], check=False).returncode == 0


def test_it_ends_when_asked_and_goes_on_with_its_volume(container: Container, client: Client) -> None:
    answered = {answer.id for answer in client.predict(rows(5))}
    client.change_policy({"threshold": 0.9})
    docker("stop", "--time", "30", container.name)
    assert container.state()["ExitCode"] == 0, container.log()
    docker("start", container.name)
    again = Container(container.name, address(container.name), container.tokens)
    wait_until_ready(again)
    with Client(again.url, token=again.tokens["NORIA_PREDICT_TOKEN"]) as asked:
        assert asked.model().policy["threshold"] == 0.9, "what was changed while it ran is forgotten"
    assert eventually(lambda: answered <= set(again.python(_STORED)))
