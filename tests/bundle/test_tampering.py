"""A bundle that is not what was sealed is refused, whatever was done to it."""

import hashlib
import json
import os
import pickle
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from noria.bundle import Bundle, revise_bundle
from noria.bundle.seal import MANIFEST, SEAL
from noria.system.errors import NoriaError
from tests.bundles import ROOT, churn, make
from tests.errors_raised import assert_error, raises


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(churn(), "xgboost", tmp_path_factory.mktemp("sealed") / "bundle").folder


@pytest.fixture
def folder(sealed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sealed, tmp_path / "bundle"))


def refused(folder: Path) -> NoriaError:
    with pytest.raises(NoriaError) as caught:
        Bundle.load(folder)
    assert caught.value.fix
    return caught.value


def reseal(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """What someone who knows the layout would do."""
    manifest = json.loads((folder / MANIFEST).read_text())
    change(manifest)
    content = json.dumps(manifest).encode()
    (folder / MANIFEST).write_bytes(content)
    (folder / SEAL).write_text(hashlib.sha256(content).hexdigest() + "\n")


FILES = ["model.ubj", "preparation.skops", "reference.parquet", "examples.json", MANIFEST, SEAL]


@pytest.mark.parametrize("name", FILES)
def test_one_changed_byte_is_found(folder: Path, name: str) -> None:
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    assert refused(folder).code == "bundle.checksum_mismatch"


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("left", [0.0, 0.5])
def test_a_truncated_file_is_found(folder: Path, name: str, left: float) -> None:
    size = (folder / name).stat().st_size
    os.truncate(folder / name, int(size * left))
    assert refused(folder).code == "bundle.checksum_mismatch"


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert_error(refused(folder), "bundle.incomplete", name)


def test_an_extra_file_is_refused(folder: Path) -> None:
    (folder / "model.pkl").write_bytes(pickle.dumps("harmless"))
    assert_error(refused(folder), "bundle.incomplete", "model.pkl")


def test_a_folder_or_a_link_instead_of_a_file_is_refused(folder: Path, tmp_path: Path) -> None:
    (folder / "more").mkdir()
    assert_error(refused(folder), "bundle.incomplete", "more")
    (folder / "more").rmdir()
    (folder / "model.ubj").rename(tmp_path / "elsewhere")
    (folder / "model.ubj").symlink_to(tmp_path / "elsewhere")
    assert_error(refused(folder), "bundle.incomplete", "model.ubj")


def test_an_edited_metric_is_found(folder: Path) -> None:
    text = (folder / MANIFEST).read_text()
    (folder / MANIFEST).write_text(text.replace('"threshold":', '"threshold" :'))
    assert "manifest was changed" in refused(folder).what


@pytest.mark.parametrize("name", ["../secret", "/etc/hostname", "a/../../secret", "..", MANIFEST])
def test_a_file_outside_the_folder_is_refused_even_under_a_good_seal(folder: Path, name: str) -> None:
    (folder.parent / "secret").write_text("x")
    reseal(folder, lambda manifest: manifest["files"].update({name: hashlib.sha256(b"x").hexdigest()}))
    assert refused(folder).code == "bundle.incomplete"


@pytest.mark.parametrize("name", ["../elsewhere", "..", "a/b", "/elsewhere", "", ".hidden", "a\\b", "a\n", "a\0"])
@pytest.mark.parametrize("key", ["name", "version"])
def test_a_name_that_leads_to_another_folder_is_refused(folder: Path, key: str, name: str) -> None:
    reseal(folder, lambda manifest: manifest.update({key: name}))
    assert refused(folder).code == "bundle.manifest_invalid"


def test_another_format_is_refused(folder: Path) -> None:
    reseal(folder, lambda manifest: manifest.update(format=2))
    assert_error(refused(folder), "bundle.format_unknown", "2", "1")


@pytest.mark.parametrize("key", ["schema", "policy", "version"])
def test_a_manifest_that_lacks_something_is_refused(folder: Path, key: str) -> None:
    reseal(folder, lambda manifest: manifest.pop(key))
    assert refused(folder).code == "bundle.manifest_invalid"


def test_another_major_version_of_a_library_is_refused(folder: Path) -> None:
    reseal(folder, lambda manifest: manifest["libraries"].update(xgboost="9.1.0"))
    error = refused(folder)
    assert "written with xgboost 9.1.0" in error.what
    assert "train again" in error.fix


def test_a_pickle_in_place_of_the_model_is_not_run(folder: Path, tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.mkdir, (str(tmp_path / "sprung"),)

    for name in ("preparation.skops", "model.ubj"):
        content = pickle.dumps(Trap())
        (folder / name).write_bytes(content)
        reseal(folder, lambda m, n=name, c=content: m["files"].update({n: hashlib.sha256(c).hexdigest()}))  # type: ignore[misc]
        refused(folder)
    assert not (tmp_path / "sprung").exists()


def test_a_type_that_is_not_trusted_is_refused(folder: Path) -> None:
    import skops.io

    content = skops.io.dumps({"steps": subprocess.Popen})
    (folder / "preparation.skops").write_bytes(content)
    reseal(folder, lambda m: m["files"].update({"preparation.skops": hashlib.sha256(content).hexdigest()}))
    assert refused(folder).code == "models.type_untrusted"


@pytest.mark.parametrize("content", [None, "a file", "an empty folder"])
def test_what_is_no_bundle_is_refused(tmp_path: Path, content: str | None) -> None:
    place = tmp_path / "nothing"
    if content == "a file":
        place.write_text("")
    elif content:
        place.mkdir()
    refused(place)


def test_a_reference_that_changes_after_loading_is_refused(folder: Path) -> None:
    bundle = Bundle.load(folder)
    (folder / "reference.parquet").write_bytes(b"")
    with raises("bundle.checksum_mismatch", "reference"):
        bundle.reference()
    with raises("bundle.checksum_mismatch", "reference"):
        revise_bundle(bundle, folder.parent / "copy")
    assert not list(folder.parent.glob("copy*")) + list(folder.parent.glob(".copy*"))


def test_other_files_are_never_overwritten(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    bundle = Bundle.load(folder)
    for place in (tmp_path / "mine", tmp_path / "mine" / "thesis.txt"):
        with raises("bundle.target_taken"):
            revise_bundle(bundle, place)
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"


def test_writing_over_an_older_bundle_leaves_nothing_behind(folder: Path) -> None:
    bundle = revise_bundle(Bundle.load(folder), folder, version="2")
    assert Bundle.load(folder).manifest.version == bundle.manifest.version == "2"
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_a_full_or_locked_place_is_said(folder: Path) -> None:
    with raises("bundle.unwritable"):
        revise_bundle(Bundle.load(folder), Path("/proc/noria/bundle"))


def test_a_writer_that_is_killed_leaves_the_old_bundle_or_the_new_one(folder: Path) -> None:
    code = (
        "import sys, itertools; from pathlib import Path; from noria.bundle import Bundle, revise_bundle;"
        "b = Bundle.load(Path(sys.argv[1])); print('ready', flush=True)\n"
        "for i in itertools.count(2): revise_bundle(b, Path(sys.argv[2]), version=str(i))"
    )
    target = folder.parent / "target"
    writer = subprocess.Popen(
        [sys.executable, "-c", code, str(folder), str(target)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert writer.stdout is not None
    writer.stdout.readline()
    while not target.exists():
        assert writer.poll() is None, "the writer ended by itself"
        time.sleep(0.01)
    time.sleep(0.35)
    writer.kill()
    writer.wait()
    writer.stdout.close()
    whole = [path for path in folder.parent.iterdir() if path.suffix != ".part" and (path / MANIFEST).exists()]
    assert target in whole or any(path.suffix == ".old" for path in whole)
    for path in whole:
        assert int(Bundle.load(path).manifest.version) >= 1
