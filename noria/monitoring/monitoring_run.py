"""One check of a deployed model: from its predictions and their labels to a verdict, kept in the history."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from noria.bundle import Bundle
from noria.bundle.qualification import disqualification
from noria.bundle.reference_sample import answer_column
from noria.config import UseCase
from noria.monitoring import verdict_history
from noria.monitoring.batch_causes import batch_causes, fault_causes
from noria.monitoring.business import measure_figure, worth_by_day
from noria.monitoring.data_checks import check_data, hidden_columns, times_of
from noria.monitoring.data_faults.two_samples import follows_time
from noria.monitoring.drift import ComparedColumns, Totals, drift_page, measure_drift
from noria.monitoring.importance import column_weights
from noria.monitoring.logged_predictions import (
    comparison_tables,
    known_labels,
    label_tables,
    logged_answers,
    reference_answers,
    scores_of,
)
from noria.monitoring.look_level import drift_stretch, is_beaten, proven
from noria.monitoring.loop_news import LoopNews
from noria.monitoring.monitoring_report import PAGE, monitoring_report, write_newest_page
from noria.monitoring.partial_labels import LabelWeights, WeighedLabels, decision_quality, weigh_labels
from noria.monitoring.performance import measure_performance
from noria.monitoring.previous_comparison import compare_with_previous
from noria.monitoring.results import (
    ColumnDrift,
    DailyWorth,
    DriftResult,
    FigureByDay,
    NewestBatch,
    PerformanceResult,
    PreviousComparison,
    RulesComparison,
)
from noria.monitoring.rules_comparison import RuleAnswers, answer_by_rules, compare_with_rules
from noria.monitoring.seasons import same_season
from noria.monitoring.table_drift import table_drift
from noria.monitoring.verdict import MonitoringVerdict, decide, next_step
from noria.monitoring.verdict_causes import (
    disqualified_cause,
    figure_causes,
    newest_causes,
    previous_cause,
    ranked,
    rules_cause,
)
from noria.monitoring.window import Window, sampling_note
from noria.monitoring.window_totals import WindowTotals
from noria.predictions.records import RANDOM, REVIEW
from noria.reporting import plural
from noria.system import progress
from noria.system.command_hints import CommandHints
from noria.system.files import write_text
from noria.system.workspace import Workspace

if TYPE_CHECKING:
    from noria.monitoring.evidently_reports import Snapshot

_NO_HINTS = CommandHints()
_NO_NEWS = LoopNews()


def monitor(
    bundle: Bundle,
    window: Window,
    use_case: UseCase,
    workspace: Workspace,
    now: datetime,
    *,
    hints: CommandHints = _NO_HINTS,
    tried: str = "",
    labels: str = "",
    news: LoopNews = _NO_NEWS,
    previous: Bundle | None = None,
) -> MonitoringVerdict:
    """Check the deployed model, write the reports, and add the verdict to the history.

    Args:
        bundle: the deployed model; its reference rows and its metrics on the test rows are what now is compared with.
        window: what `read_window` gave for the bundle's version.
        use_case: `monitoring` holds the limits.
        workspace: reports go to `monitoring/`, one folder per check, and the newest page to
            `monitoring/monitoring.html`, too; Evidently's time series to `monitoring/evidently`.
        now: the time of the check, with a zone.
        hints: what the commands in the report are completed with.
        previous: the model that answered before it.
        tried: what to say in place of the advice to train again, where that was tried and did not help.
        labels: the file of labels that came with this check, in which the business figure may be a column; empty: none.
        news: what the loop has done so far.

    Raises:
        NoriaError: the bundle was changed on disk, the workspace cannot be written, or the business figure cannot be
            computed as the use case says.
    """
    now = now.astimezone(UTC)
    earlier = verdict_history.read(verdict_history.history_file(workspace))
    looks = [each.at for each in earlier if each.version == bundle.manifest.version and each.at < now]
    check = _Check(bundle, window, use_case, now, len(looks) + 1)
    figure = check.figure(workspace.predictions_url, labels, earlier)  # first: what is wrong with it stops the check
    data = check_data(bundle, window.recent, use_case, now, looks, all_rows=window.all_rows)
    drift, drift_snapshot = check.drift()
    progress.stage("compare", f"{plural(window.rows, 'prediction')} with the training rows")
    performance, performance_page = check.performance()
    performance, estimate_reason = check.estimated(performance, earlier)
    progress.stage("judge", f"{plural(performance.labels, 'labelled prediction')}")
    folder = _new_folder(workspace.monitoring, now)
    pages = {"drift": drift_snapshot, "performance": performance_page}
    reports = _write_pages({name: page for name, page in pages.items() if page is not None}, folder, use_case)
    before = check.previous(previous)
    newest, rules, why = check.newest(data.newest), check.rules(), disqualification(bundle, use_case)
    faults = fault_causes(data.faults)
    found = [
        *faults,
        *batch_causes(data.newest, faults),
        *newest_causes(use_case, data.newest, newest),
        *rules_cause(rules, use_case.problem.unit, window.since),
        *previous_cause(before, use_case.problem.unit, window.since),
    ]
    level, confident, reasons = decide(use_case, window.rows, drift, performance, why, causes=found)
    figures = figure_causes(use_case, window.rows, drift, performance, window.since)
    if window.outside:
        reasons.append(window.outside)
    if window.all_rows is not None:
        reasons.append(sampling_note(window))
    action, command = next_step(level, performance)
    if tried and level == "retrain":
        action, command = tried, "python run.py dashboard"
    verdict = MonitoringVerdict(
        use_case=use_case.name,
        version=bundle.manifest.version,
        at=now,
        since=window.since,
        verdict=level,
        confident=confident,
        reasons=[*reasons, *estimate_reason],
        next_action=action,
        next_command=command,
        drift=drift,
        performance=performance,
        causes=ranked([*found, *disqualified_cause(why), *figures]),
        newest=data.newest,
        newest_performance=newest,
        days=data.days,
        sampled=None if window.all_rows is None else len(window.recent),
        rules=rules,
        daily_worth=check.daily_worth(),
        figure=figure,
        previous=before,
        reports={"summary": str(folder / PAGE), **reports},
    )
    history = [*earlier, verdict]
    page = monitoring_report(verdict, history, use_case, hints, news=news, folder=folder)
    write_text(folder / PAGE, page)
    verdict_history.append(verdict_history.history_file(workspace), verdict)
    write_newest_page(workspace, history, use_case, hints, news)
    return verdict


@dataclass(frozen=True)
class _Check:
    bundle: Bundle
    window: Window
    use_case: UseCase
    now: datetime
    look: int
    """Which look at this model it is, from 1."""

    def drift(self) -> "tuple[DriftResult | None, Snapshot | None]":
        """Inputs and answers beside those of training; None if there are too few predictions."""
        if self.window.rows < self.use_case.monitoring.min_rows:
            return None, None
        hidden = hidden_columns(self.use_case)
        fewest, share = self.use_case.monitoring.min_rows, self.use_case.monitoring.drift_watch
        season = same_season(self.bundle.reference(), self.use_case.data.time, times_of(self.window.recent), fewest)
        reference, current, columns = comparison_tables(self.bundle, self.window.recent, hidden, season)
        stretch = drift_stretch(self.look, len(columns.inputs))
        drift = measure_drift(reference, current, columns, stretch=stretch, totals=self._totals(columns))
        page = None
        if self.use_case.monitoring.evidently:
            page = drift_page(reference, current, columns, at=self.now, drift_share=share)
        weights = column_weights(self.bundle)
        inputs = [move.model_copy(update={"weight": weights[move.name]}) for move in drift.inputs]
        steady = [name for name in columns.inputs if not follows_time(current[name].to_numpy())]
        compared_with = "" if season is None else f"{plural(len(season), 'row')} of the same season of training"
        table = table_drift(reference[steady], current[steady])
        return drift.model_copy(update={"inputs": inputs, "table": table, "season": compared_with}), page

    def _totals(self, columns: ComparedColumns) -> dict[str, Totals] | None:
        """The totals of all rows, where the window holds a sample of them."""
        if self.window.all_rows is None:
            return None
        totals = self.window.all_rows.totals
        answer = {} if columns.prediction is None else {columns.prediction: totals.answer}
        return {**totals.columns, **answer}

    def newest(self, batch: NewestBatch | None) -> PerformanceResult | None:
        """Answers beside the truth in the newest batch alone; None if it has too few labels, or is all there is."""
        if batch is None or not len(self._labelled):
            return None
        labelled = self._labelled[times_of(self._labelled) >= batch.since]
        if not self.use_case.monitoring.min_labels <= len(labelled) < len(self._labelled):
            return None
        cases, recent, all_rows = self.window.cases, self.window.recent, self.window.all_rows
        weighed = None if cases is None else self._weigh(cases[cases["event_at"] >= batch.since], labelled)
        found = self._measured(recent[times_of(recent) >= batch.since], labelled, weighed)
        return found if all_rows is None else _with_waiting(found, all_rows.since(batch.since))

    def rules(self) -> RulesComparison | None:
        """The model beside the rules of the business; None if there are too few labels."""
        labelled, weights = self._judging_rows()
        if not len(labelled):
            return None
        scores = scores_of(self.bundle, labelled)
        answers = self._by_rules if weights is None else answer_by_rules(self.bundle, self.use_case, labelled)
        found = compare_with_rules(self.bundle, self.use_case, labelled, scores, answers, weights=weights)
        if found is None:
            return None
        worse = is_beaten(found.rules - found.model, found.low, found.high, self.look, self._confidence)
        return found.model_copy(update={"worse": worse})

    def daily_worth(self) -> DailyWorth | None:
        """What the decisions of each day brought in, beside the rules and doing nothing."""
        return worth_by_day(
            self.bundle,
            self.use_case,
            self._unchosen,
            self._by_rules,
            since=self._labelled_since,
            now=self.now,
            share=self.window.labelled_share,
        )

    def figure(self, store_url: str, labels: str, earlier: Sequence[MonitoringVerdict]) -> FigureByDay | None:
        """The business figure per day."""
        return measure_figure(
            self.use_case,
            self.bundle.manifest,
            self._unchosen,
            since=self._labelled_since,
            now=self.now,
            share=self.window.labelled_share,
            store_url=store_url,
            labels=labels,
            earlier=earlier,
        )

    @property
    def _labelled_since(self) -> datetime:
        return self.window.labelled_since or self.window.since

    def previous(self, previous: Bundle | None) -> PreviousComparison | None:
        """The model beside the one before it; None if there are too few labels, or they cannot be compared."""
        labelled, weights = self._judging_rows()
        if previous is None or not len(labelled):
            return None
        scores, hidden = scores_of(self.bundle, labelled), hidden_columns(self.use_case)
        found = compare_with_previous(
            self.bundle, previous, self.use_case, labelled, scores, weights=weights, hidden=hidden
        )
        if found is None:
            return None
        worse = is_beaten(found.previous - found.model, found.low, found.high, self.look, self._confidence)
        return found.model_copy(update={"worse": worse})

    def _judging_rows(self) -> tuple[pd.DataFrame, LabelWeights | None]:
        """The labelled rows on which others are compared with the model, and their weights; none if they are too few.

        Another model would decide otherwise on cases of which nothing is known, so none may be missing.
        """
        fewest, none = self.use_case.monitoring.min_labels, self._labelled.iloc[:0]
        if self._weighed is None:
            return (self._labelled if len(self._labelled) >= fewest else none), None
        weights = self._weighed.weights
        enough = self._weighed.coverage.is_whole and weights.effective >= fewest
        return (self._weighed.labelled if enough else none), weights

    @property
    def _confidence(self) -> float:
        return self.use_case.evaluation.confidence

    def performance(self) -> "tuple[PerformanceResult, Snapshot | None]":
        """Answers beside the truth, and Evidently's page of it if there are enough labels."""
        labelled, weighed = self._labelled, self._weighed
        alike = weighed is None and len(labelled) >= self.use_case.monitoring.min_labels
        target = self._target(labelled) if alike else None
        unusable = len(self.window.labelled) - len(labelled)
        facts = self._measured(self.window.recent, labelled, weighed, target=target, unusable=unusable)
        if self.window.all_rows is not None:
            facts = _with_waiting(facts, self.window.all_rows.totals)
        if weighed is None:
            return facts, self._performance_page(labelled) if facts.metric is not None else None
        if not weighed.coverage.is_whole:
            known = reference_answers(self.bundle)
            answer = answer_column("decision", self.bundle.manifest)
            known = known.assign(decision=self.bundle.reference()[answer])
            decisions = decision_quality(self.use_case, weighed, known, self.look)
            facts = facts.model_copy(update={"decisions": decisions})
        return facts, None  # Evidently knows no weights

    @cached_property
    def _weighed(self) -> WeighedLabels | None:
        """The labels with what they stand for, where they come for some cases only; None: all count alike."""
        return None if self.window.cases is None else self._weigh(self.window.cases, self._labelled)

    def _weigh(self, cases: pd.DataFrame, labelled: pd.DataFrame) -> WeighedLabels:
        problem = self.use_case.problem
        mature_until = self.now - timedelta(days=problem.label_delay_days)
        return weigh_labels(cases, labelled, problem.labels_for, mature_until)

    @cached_property
    def _by_rules(self) -> RuleAnswers | None:
        return answer_by_rules(self.bundle, self.use_case, self._unchosen)

    @cached_property
    def _unchosen(self) -> pd.DataFrame:
        """The labelled rows without those that were selected because they teach: they are harder than others."""
        cases = self.window.cases
        if cases is None:
            return self._labelled
        taught = cases["selected_by"].notna() & ~cases["selected_by"].isin([RANDOM, REVIEW])
        is_taught = self._labelled["prediction_id"].isin(cases.loc[taught, "prediction_id"])
        return self._labelled[~is_taught].reset_index(drop=True)

    @cached_property
    def _labelled(self) -> pd.DataFrame:
        return known_labels(self.bundle.manifest, self.window.labelled)

    def _measured(
        self,
        recent: pd.DataFrame,
        labelled: pd.DataFrame,
        weighed: WeighedLabels | None,
        *,
        target: ColumnDrift | None = None,
        unusable: int = 0,
    ) -> PerformanceResult:
        manifest, confidence = self.bundle.manifest, self.use_case.evaluation.confidence
        labelled = labelled if weighed is None else weighed.labelled
        found = measure_performance(
            self.use_case,
            recent,
            labelled,
            scores_of(self.bundle, labelled),
            {name: metric.value for name, metric in manifest.metrics.items()},
            now=self.now,
            classes=manifest.classes if manifest.task == "multiclass" else None,
            target=target,
            unusable=unusable,
            weights=None if weighed is None else weighed.weights,
            coverage=None if weighed is None else weighed.coverage,
        )
        changes = {
            key: proven(change, self.look, confidence, manifest.metrics.get(change.name))
            for key, change in (("metric", found.metric), ("worth", found.worth))
            if change is not None
        }
        return found.model_copy(update=changes)

    def estimated(
        self, performance: PerformanceResult, earlier: Sequence[MonitoringVerdict]
    ) -> tuple[PerformanceResult, list[str]]:
        """The performance with what is estimated without labels, and a reason that says so where it is all there is."""
        from noria.monitoring.quality_estimate import add_estimates, sentence

        series = [
            scored
            for verdict in earlier
            if verdict.version == self.bundle.manifest.version
            for scored in verdict.performance.scored
        ]
        labelled = self._labelled if self._weighed is None else self._weighed.labelled[self._weighed.fair]
        found = add_estimates(
            performance,
            self.bundle,
            self.use_case,
            recent=self.window.recent,
            labelled=labelled,
            series=series,
            now=self.now,
        )
        if found.estimate is None or found.metric is not None:
            return found, []
        return found, [sentence(found.estimate, [*series, *found.scored])]

    def _target(self, labelled: pd.DataFrame) -> ColumnDrift:
        reference, current, columns = label_tables(self.bundle, labelled)
        return measure_drift(reference, current, columns).inputs[0]

    def _performance_page(self, labelled: pd.DataFrame) -> "Snapshot | None":
        if not self.use_case.monitoring.evidently:
            return None
        from noria.monitoring.evidently_reports import performance_snapshot

        manifest = self.bundle.manifest
        return performance_snapshot(
            reference_answers(self.bundle),
            logged_answers(manifest, labelled),
            task=manifest.task,
            positive=manifest.positive,
            at=self.now,
        )


def _with_waiting(found: PerformanceResult, totals: WindowTotals) -> PerformanceResult:
    """With the labels that are still to come, counted over all rows."""
    return found.model_copy(update={"waiting": totals.young, "overdue": totals.unlabelled - totals.young})


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
