"""The whole use case: one YAML file, one object."""

from typing import Self

from pydantic import Field, model_validator

from noria.config.column_reading import ColumnReading
from noria.config.data import DataConfig, WindowConfig
from noria.config.engine import EngineConfig
from noria.config.history import HistorySpec
from noria.config.loop import LoopConfig
from noria.config.modelling import (
    BINARY_METRICS,
    MULTICLASS_METRICS,
    REGRESSION_METRICS,
    DecisionConfig,
    EvaluationConfig,
    FeaturesConfig,
    ModelsConfig,
    RulesConfig,
    SplitConfig,
)
from noria.config.monitoring import MonitoringConfig
from noria.config.problem import BusinessFigure, Problem
from noria.config.section import Section
from noria.config.serving import ServingConfig

METRICS = {"binary": BINARY_METRICS, "multiclass": MULTICLASS_METRICS, "regression": REGRESSION_METRICS}
_DECISION_KEYS = {
    "binary": {"threshold", "review_margin"},
    "multiclass": {"review_below"},
    "regression": {"act_from"},
}


class UseCase(Section):
    """A use case, from the question to the monitoring of its predictions.

    >>> from noria.config import load_use_case
    >>> use_case = load_use_case(Path("configs/telco_churn.yaml"))
    >>> use_case.problem.task, use_case.data.target
    ('binary', 'churn')
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")
    """Short name in lower case; models, services and files carry it."""
    problem: Problem
    """The question, who uses the answer, and what it is worth."""
    data: DataConfig
    """Where the rows come from and what must be true of them."""
    split: SplitConfig = SplitConfig()
    """How the test rows are set aside."""
    features: FeaturesConfig = FeaturesConfig()
    """Which columns the models see and how they are prepared."""
    models: ModelsConfig = ModelsConfig()
    """Which models compete and how they are tuned."""
    rules: RulesConfig
    """The rules: how it is decided today, which every model must beat, or a stand-in for that."""
    evaluation: EvaluationConfig
    """How candidates are judged."""
    decision: DecisionConfig = DecisionConfig()
    """What is done with a prediction."""
    serving: ServingConfig = ServingConfig()
    """Where the service listens."""
    monitoring: MonitoringConfig = MonitoringConfig()
    """When the deployed model is due for attention."""
    loop: LoopConfig = LoopConfig()
    """What is done about it."""
    engine: EngineConfig = EngineConfig()
    """Where the heavy work is done: in the process, or on a Ray cluster."""

    @model_validator(mode="after")
    def _sections_agree(self) -> Self:
        task, metric = self.problem.task, self.evaluation.metric
        if metric not in METRICS[task]:
            raise ValueError(
                f"evaluation.metric `{metric}` does not fit task `{task}`; one of {', '.join(METRICS[task])}"
            )
        # values, not the keys that were set: a use case read back from its own JSON has them all
        defaults = DecisionConfig().model_dump()
        stray = {key for key, value in self.decision.model_dump().items() if value != defaults[key]}
        stray -= _DECISION_KEYS[task]
        if stray:
            raise ValueError(f"decision.{sorted(stray)[0]} does not apply to task `{task}`")
        if self.split.method == "time" and self.data.time is None:
            raise ValueError("split.method `time` needs data.time, the column that tells when a case happened")
        if self.data.window == "auto" and self.split.method != "time":
            raise ValueError("data.window `auto` needs split.method `time`: windows are judged on later rows")
        if self.data.target in {
            *(self.data.id, self.data.time, self.split.group),
            *(*self.data.unavailable_at_prediction, *self.features.exclude),
        }:
            raise ValueError(f"data.target `{self.data.target}` has a second role; a target cannot be anything else")
        both = set(self.features.numeric) & set(self.features.categorical)
        if both:
            raise ValueError(f"features: `{sorted(both)[0]}` is both numeric and categorical")
        self._check_history()
        self._check_figure()
        if task == "regression":
            answers = [self.rules.otherwise, *(rule.then for rule in self.rules.conditions)]
            if any(isinstance(answer, (str, bool)) for answer in answers):
                raise ValueError("rules: for regression every `then` and `otherwise` is a number")
        return self

    def _check_figure(self) -> None:
        figure, hidden = self.problem.business_figure, self.serving.privacy
        queried = {source.name for source in self.data.sources if source.url is not None and source.query is not None}
        if figure.source is not None and figure.source not in queried:
            known = f"one of {', '.join(sorted(queried))}" if queried else "this use case has none"
            raise ValueError(f"problem.business_figure.source `{figure.source}` is no source with a `url`; {known}")
        if figure.column in {*hidden.drop, *hidden.hash, *hidden.truncate}:
            raise ValueError(
                f"problem.business_figure.column `{figure.column}` is not kept as it is (serving.privacy); "
                "the figure could not be computed"
            )

    def _check_history(self) -> None:
        spec = self.history_spec()
        if spec is None:
            if self.features.history:
                raise ValueError("features.history needs data.time, the column that tells when a case happened")
            return
        roles = {*self.not_features, str(self.data.time)}
        for feature in spec.features:
            where = f"features.history `{feature.name}`"
            if feature.name in {*roles, *spec.inputs}:
                raise ValueError(f"{where} has the name of another column")
            if feature.of == self.data.target and self.problem.task == "multiclass":
                raise ValueError(f"{where}: the target has several classes, and no number can be made of them")
        window = self.window
        if window is not None and window.days is not None and window.days * 86_400e6 < spec.longest_us:
            raise ValueError(
                f"data.window keeps {window.days:g} days, but features.history look back "
                f"{spec.longest_us / 86_400e6:.3g}: the service would start without cases that they count"
            )
        hidden = self.serving.privacy
        kept = {*hidden.drop, *hidden.hash, *hidden.truncate}
        for column in spec.inputs:
            if column in self.not_features:
                raise ValueError(f"features.history uses `{column}`, which no request holds: it is no feature")
            if column in kept:
                raise ValueError(
                    f"features.history uses `{column}`, which serving.privacy does not keep as it is; "
                    "the service could not count it"
                )

    def history_spec(self) -> HistorySpec | None:
        """What `features.history` is computed from; None if there is none."""
        if not self.features.history or self.data.time is None:
            return None
        positive = getattr(self.problem, "positive", None)
        return HistorySpec(
            features=self.features.history,
            time=self.data.time,
            target=self.data.target,
            positive=None if positive is None else str(positive),
            asked_before=self.data.asked_before,
            label_delay_us=round(self.problem.label_delay_days * 86_400e6),
            label_hours=self.data.label_hours,
        )

    @property
    def not_features(self) -> frozenset[str]:
        """Columns that no model may see."""
        roles = {self.data.target, *self.data.unavailable_at_prediction, *self.features.exclude}
        if self.data.id is not None:
            roles.add(self.data.id)
        if self.split.group is not None:
            roles.add(self.split.group)
        return frozenset(roles)

    def reading(self, column: str) -> ColumnReading:
        """How the values of a column are read, as far as the use case says.

        The type is that of `data.columns`, or of `data.expectations`, or follows from `features`.
        """
        given = self.data.reading(column)
        if given.type is None and column in self.features.categorical:
            return given.model_copy(update={"type": "text"})
        if given.type is None and column in self.features.numeric:
            return given.model_copy(update={"type": "number"})
        return given

    def with_readings(self, readings: dict[str, ColumnReading]) -> "UseCase":
        """The same use case with `data.columns` as learned from the table."""
        return self.model_copy(update={"data": self.data.model_copy(update={"columns": readings})})

    @property
    def window(self) -> WindowConfig | None:
        """The window that is given; None for `all` and `auto`, before one is chosen."""
        return self.data.window if isinstance(self.data.window, WindowConfig) else None

    def with_window(self, window: WindowConfig | None) -> "UseCase":
        """The same use case with this window; None: all rows, which weigh the same."""
        return self.model_copy(update={"data": self.data.model_copy(update={"window": window or "all"})})

    def for_training(self) -> "UseCase":
        """The same use case with `serving`, `monitoring` and `loop` at their defaults; the business figure is in words.

        Training reads none of them, so that changing them does not make its cached steps run again. Only
        `serving.privacy` stays where training reads labelled predictions: it says what the store does not hold.
        """
        reads_store = any(source.kind == "predictions" for source in self.data.sources)
        serving = ServingConfig(privacy=self.serving.privacy) if reads_store else ServingConfig()
        figure = BusinessFigure(name=self.problem.business_figure.name)
        return self.model_copy(
            update={
                "problem": self.problem.model_copy(update={"business_figure": figure}),
                "serving": serving,
                "monitoring": MonitoringConfig(),
                "loop": LoopConfig(),
            }
        )

    def without_loop(self) -> "UseCase":
        """The same use case with `loop` at its default: no step of a pipeline needs the addresses of messages."""
        return self.model_copy(update={"loop": LoopConfig()})

    def on_one_machine(self) -> "UseCase":
        """The same use case for what is itself a piece of the work on a cluster: it spreads nothing further."""
        models = self.models.model_copy(update={"jobs": self.engine.cores})
        return self.model_copy(update={"engine": EngineConfig(), "models": models})
