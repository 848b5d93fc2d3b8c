"""`make audit`: a vulnerability that nobody has accepted is an error, and "could not look" is never "found none"."""

import json
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from noria.system.workspace import PROJECT

_ADVISORY = {
    "id": "PYSEC-2099-1",
    "aliases": ["CVE-2099-1"],
    "summary": "bad",
    "details": "bad",
    "affected": [{"package": {"name": "bad", "ecosystem": "PyPI"}, "versions": ["1.0"]}],
}


class _Service(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        body = json.dumps({"vulns": [_ADVISORY]} if asked["package"]["name"] == "bad" else {}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Service)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


def audit(folder: Path, url: str, packages: str, *, known: str = "", options: tuple[str, ...] = ()) -> tuple[int, str]:
    (folder / "lock").write_text(packages, encoding="utf-8")
    (folder / "known.toml").write_text(known, encoding="utf-8")
    done = subprocess.run(
        [
            *(sys.executable, PROJECT / ".ci" / "audit.py", "--osv-url", url, *options),
            *("--lock", folder / "lock", "--known", folder / "known.toml"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_a_clean_lock_passes(service: str, tmp_path: Path) -> None:
    code, said = audit(tmp_path, service, "good==1.0\n")
    assert code == 0
    assert "1 packages, no known vulnerability" in said


def test_a_vulnerability_is_an_error_until_it_is_accepted_with_a_reason(service: str, tmp_path: Path) -> None:
    code, said = audit(tmp_path, service, "good==1.0\nbad==1.0\n")
    assert code == 1
    assert "bad has PYSEC-2099-1 = CVE-2099-1" in said
    code, said = audit(tmp_path, service, "bad==1.0\n", known='"CVE-2099-1" = "we never call it"')
    assert code == 0
    assert "we never call it" in said


def test_an_unreachable_service_is_told_and_an_error_only_when_required(tmp_path: Path) -> None:
    nowhere = "http://127.0.0.1:9/"
    code, said = audit(tmp_path, nowhere, "good==1.0\n")
    assert code == 0
    assert "NOTHING WAS CHECKED" in said
    code, said = audit(tmp_path, nowhere, "good==1.0\n", options=("--required",))
    assert code == 1


def test_a_lock_that_cannot_be_read_is_an_error(service: str, tmp_path: Path) -> None:
    code, said = audit(tmp_path, service, "no such line\n")
    assert code == 1
    assert "NOTHING WAS CHECKED" not in said
