"""One check of a deployed model: from its predictions and their labels to a verdict, kept in the history."""

import itertools
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from noria.bundle import Bundle
from noria.config import UseCase
from noria.monitoring import verdict_history
from noria.monitoring.drift import measure_drift
from noria.monitoring.logged_predictions import (
    answers_and_truth,
    comparison_tables,
    known_labels,
    label_tables,
    scores_of,
)
from noria.monitoring.monitoring_report import monitoring_report
from noria.monitoring.performance import measure_performance
from noria.monitoring.results import ColumnDrift, DriftResult, PerformanceResult
from noria.monitoring.verdict import MonitoringVerdict, decide, next_step
from noria.monitoring.window import Window
from noria.reporting import plural
from noria.system import progress
from noria.system.files import write_text
from noria.system.workspace import Workspace

if TYPE_CHECKING:
    from noria.monitoring.evidently_reports import Snapshot


def monitor(
    bundle: Bundle, window: Window, use_case: UseCase, workspace: Workspace, now: datetime
) -> MonitoringVerdict:
    """Check the deployed model, write the reports, and add the verdict to the history.

    Args:
        bundle: the deployed model; its reference rows and its metrics on the test rows are what now is compared with.
        window: what `read_window` gave for the bundle's version.
        use_case: `monitoring` holds the limits.
        workspace: reports go to `monitoring/`, one folder per check; Evidently's time series to
            `monitoring/evidently`.
        now: the time of the check, with a zone.

    Raises:
        NoriaError: the bundle was changed on disk, or the workspace cannot be written.
    """
    now = now.astimezone(UTC)
    check = _Check(bundle, window, use_case, now)
    drift, drift_page = check.drift()
    progress.stage("compare", f"{plural(len(window.recent), 'prediction')} with the training rows")
    performance, performance_page = check.performance()
    progress.stage("judge", f"{plural(performance.labels, 'labelled prediction')}")
    folder = _new_folder(workspace.monitoring, now)
    pages = {"drift": drift_page, "performance": performance_page}
    reports = _write_pages({name: page for name, page in pages.items() if page is not None}, folder, use_case)
    level, confident, reasons = decide(use_case, len(window.recent), drift, performance)
    action, command = next_step(level, use_case.name, performance)
    verdict = MonitoringVerdict(
        use_case=use_case.name,
        version=bundle.manifest.version,
        at=now,
        since=window.since,
        verdict=level,
        confident=confident,
        reasons=reasons,
        next_action=action,
        next_command=command,
        drift=drift,
        performance=performance,
        reports={"summary": str(folder / "report.html"), **reports},
    )
    earlier = verdict_history.read(verdict_history.history_file(workspace))
    write_text(folder / "report.html", monitoring_report(verdict, [*earlier, verdict], use_case))
    verdict_history.append(verdict_history.history_file(workspace), verdict)
    return verdict


@dataclass(frozen=True)
class _Check:
    bundle: Bundle
    window: Window
    use_case: UseCase
    now: datetime

    def drift(self) -> "tuple[DriftResult | None, Snapshot | None]":
        """Inputs and answers beside those of training; None if there are too few predictions."""
        if len(self.window.recent) < self.use_case.monitoring.min_rows:
            return None, None
        privacy = self.use_case.serving.privacy
        hidden = {*privacy.hash, *privacy.drop, *privacy.truncate}
        reference, current, columns = comparison_tables(self.bundle, self.window.recent, hidden)
        share = self.use_case.monitoring.drift_watch
        return measure_drift(reference, current, columns, at=self.now, drift_share=share)

    def performance(self) -> "tuple[PerformanceResult, Snapshot | None]":
        """Answers beside the truth, and Evidently's page of it if there are enough labels."""
        manifest = self.bundle.manifest
        labelled = known_labels(manifest, self.window.labelled)
        enough = len(labelled) >= self.use_case.monitoring.min_labels
        facts = measure_performance(
            self.use_case,
            self.window.recent,
            labelled,
            scores_of(self.bundle, labelled),
            {name: metric.value for name, metric in manifest.metrics.items()},
            now=self.now,
            classes=manifest.classes if manifest.task == "multiclass" else None,
            target=self._target(labelled) if enough else None,
            unusable=len(self.window.labelled) - len(labelled),
        )
        return facts, self._performance_page(labelled) if facts.metric is not None else None

    def _target(self, labelled: pd.DataFrame) -> ColumnDrift:
        reference, current, columns = label_tables(self.bundle, labelled)
        return measure_drift(reference, current, columns, at=self.now)[0].inputs[0]

    def _performance_page(self, labelled: pd.DataFrame) -> "Snapshot":
        from noria.monitoring.evidently_reports import performance_snapshot

        manifest = self.bundle.manifest
        return performance_snapshot(
            answers_and_truth(manifest, self.bundle.reference(), manifest.target),
            answers_and_truth(manifest, labelled, "label"),
            task=manifest.task,
            positive=manifest.positive,
            at=self.now,
        )


def _new_folder(parent: Path, now: datetime) -> Path:
    """A folder of its own for this check, even if another one begins in the same second."""
    for number in itertools.count(1):
        folder = parent / (f"{now:%Y-%m-%d_%H%M%S}" + (f"-{number}" if number > 1 else ""))
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        break
    return folder


def _write_pages(pages: "dict[str, Snapshot]", folder: Path, use_case: UseCase) -> dict[str, str]:
    if not pages:
        return {}
    from noria.monitoring.evidently_reports import keep, write_html

    for name, page in pages.items():
        write_html(page, folder / f"{name}.html")
        keep(page, folder.parent / "evidently", use_case)
    progress.stage("report", f"{plural(len(pages), 'Evidently report')} in {folder}")
    return {name: str(folder / f"{name}.html") for name in pages}
