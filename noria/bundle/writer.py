"""Writing a bundle so that no reader ever sees half of one."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from noria.bundle.bundle import EXAMPLES, HISTORY, LEARNED, REFERENCE, Bundle
from noria.bundle.library_versions import libraries
from noria.bundle.manifest import Manifest, MetricsOrigin, MetricValue, positive_label, split_name
from noria.bundle.seal import MANIFEST, seal, sealed_bytes, verify_seal
from noria.config import UseCase
from noria.models.learned_rows import pack_keys
from noria.models.policy_choice import DecisionPolicy
from noria.system.errors import NoriaError

if TYPE_CHECKING:
    import pandas as pd

    from noria.models.fitted_model import FittedModel

_COMPARED = 1_000


def write_bundle(
    folder: Path,
    fitted: FittedModel,
    *,
    use_case: UseCase,
    train: pd.DataFrame,
    out_of_fold: NDArray[np.float64],
    policy: DecisionPolicy,
    fingerprint: str,
    version: str,
    judged: Manifest | None = None,
) -> Bundle:
    """Write `folder` in one go and load it again; a bundle that was there is replaced.

    Args:
        folder: where; absent, empty, or an older bundle.
        fitted: the model.
        use_case: gives name, target, identifier and primary metric.
        train: n training rows, for the reference sample and the distributions of the examples.
        out_of_fold: (n,) or (n, k) scores of the same rows by models that had not seen them; NaN where there is none.
        policy: what is done with a prediction.
        fingerprint: SHA-256 of the data.
        version: any name of this version.
        judged: of the fit that was judged in place of this one; the bundle promises its metrics.

    Raises:
        NoriaError: the folder cannot be written, or holds something else.
    """
    from noria.bundle.fast_conversion import fast_files
    from noria.bundle.reference_sample import reference_rows
    from noria.bundle.synthetic_examples import synthetic_rows
    from noria.models.model_storage import dump_model
    from noria.schema.column_types import reading_of

    manifest = Manifest(
        name=use_case.name,
        version=version,
        kind=fitted.kind,
        task=use_case.problem.task,
        target=use_case.data.target,
        id=use_case.data.id,
        time=use_case.data.time if use_case.data.time in train.columns else None,
        case=use_case.problem.case,
        classes=fitted.classes,
        positive=positive_label(use_case),
        schema_=fitted.schema,
        readings={
            name: reading_of(name, train[name], use_case)
            for name in (use_case.data.id, use_case.data.target, use_case.data.time)
            if name is not None and name in train.columns
        },
        policy=policy,
        metric=use_case.evaluation.metric,
        split=split_name(use_case),
        worth=use_case.problem.worth.model_dump(mode="json"),
        metrics=judged.metrics if judged else {},
        metrics_from=judged.metrics_from if judged else None,
        learned=fitted.learned,
        window=use_case.window,
        examples="synthetic",
        data_fingerprint=fingerprint,
        created_at=datetime.now(UTC),
        parameters=dict(fitted.params),
        libraries=libraries(fitted.kind),
    )

    def fill(part: Path) -> None:
        some = train.sample(min(len(train), _COMPARED), random_state=use_case.split.seed)
        files = dump_model(fitted) | fast_files(fitted, some)
        for name, content in files.items():
            (part / name).write_bytes(content)
        if fitted.keys is not None:
            (part / LEARNED).write_bytes(pack_keys(fitted.keys))
        if manifest.schema_.history is not None:
            (part / HISTORY).write_bytes(_history(train, manifest))
        reference = reference_rows(train, out_of_fold, manifest, fitted, seed=use_case.split.seed)
        reference.to_parquet(part / REFERENCE, compression="zstd", index=False)
        examples = synthetic_rows(train, manifest.schema_, seed=use_case.split.seed)
        text = json.dumps(examples, ensure_ascii=False, indent=2, allow_nan=False)
        (part / EXAMPLES).write_text(text, encoding="utf-8")

    return _write(folder, manifest, fill)


def _history(train: pd.DataFrame, manifest: Manifest) -> bytes:
    from noria.history.seed import newest_cases, pack_seed

    entities: list[str | None] = [None] * len(train)
    if manifest.id is not None and manifest.id in train.columns:
        codes, texts, _ = manifest.case_reader.read_texts(train[manifest.id])
        entities = [texts[code] or None for code in codes.tolist()]
    return pack_seed(*newest_cases(train, manifest.schema_, entities))


def revise_bundle(
    bundle: Bundle,
    folder: Path,
    *,
    version: str | None = None,
    metrics: Mapping[str, MetricValue] | None = None,
    test_rows: int | None = None,
) -> Bundle:
    """A copy of the bundle with another version or other metrics; the model stays as it is.

    Args:
        bundle: the bundle.
        folder: where the copy goes.
        version: its version; None: as it was.
        metrics: its metrics on the test rows; None: as they were.
        test_rows: how many test rows `metrics` come from; None: not known.

    Raises:
        NoriaError: the bundle was changed since it was loaded, or the folder cannot be written.
    """
    changes: dict[str, object] = {}
    if version is not None:
        changes["version"] = version
    if metrics is not None:
        learned = bundle.manifest.learned
        fit_rows = learned.rows if learned else None
        origin = None if test_rows is None else MetricsOrigin(test_rows=test_rows, learned_rows=fit_rows)
        changes |= {"metrics": dict(metrics), "metrics_from": origin}

    def fill(part: Path) -> None:
        for name in bundle.manifest.files:
            (part / name).write_bytes(sealed_bytes(bundle.folder, bundle.manifest, name))

    return _write(folder, bundle.manifest.model_copy(update=changes), fill)


def replace_files(folder: Path, manifest: Manifest, changed: Mapping[str, bytes]) -> Manifest:
    """Seal a bundle again, in place, with other contents of some of its files; returns the new manifest.

    The model is not read, so that bundles of other library versions can be changed, too.

    Raises:
        NoriaError: the bundle was changed since it was opened, or the folder cannot be written.
    """

    def fill(part: Path) -> None:
        for name in manifest.files:
            (part / name).write_bytes(changed.get(name) or sealed_bytes(folder, manifest, name))

    _replace(folder, manifest, fill)
    return verify_seal(folder)


def _write(folder: Path, manifest: Manifest, fill: Callable[[Path], None]) -> Bundle:
    return Bundle.load(_replace(folder, manifest, fill))


def _replace(folder: Path, manifest: Manifest, fill: Callable[[Path], None]) -> Path:
    folder = folder.absolute()
    _check_place(folder)
    part = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".part", dir=folder.parent))
        fill(part)
        seal(part, manifest)
        part.chmod(0o755)
        for path in [*part.iterdir(), part]:
            _sync(path)
        _put_in_place(part, folder)
    except OSError as error:
        raise NoriaError(
            f"cannot write the model bundle: {error.strerror or error}",
            code="bundle.unwritable",
            where=str(folder),
            fix="choose a folder you may write to, with space left",
        ) from error
    finally:
        if part is not None:
            shutil.rmtree(part, ignore_errors=True)
    return folder


def _check_place(folder: Path) -> None:
    taken = folder.exists() and not (folder.is_dir() and ((folder / MANIFEST).is_file() or not any(folder.iterdir())))
    if taken:
        raise NoriaError(
            "there is something else where the model bundle should go",
            code="bundle.target_taken",
            where=str(folder),
            fix="name another folder",
        )


def _put_in_place(part: Path, folder: Path) -> None:
    """Rename `part` to `folder`. An older bundle is first set aside, and put back if the renaming fails."""
    aside = None
    if folder.exists():
        aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".old", dir=folder.parent))
        folder.replace(aside)
    try:
        part.replace(folder)
    except OSError:
        if aside is not None:
            aside.replace(folder)
        raise
    _sync(folder.parent)
    if aside is not None:
        shutil.rmtree(aside, ignore_errors=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
