"""A bundle that has been tried on the test rows leaves with what it did there."""

from zenml import log_metadata

from noria.bundle import Bundle, MetricValue
from noria.bundle.writer import revise_bundle
from noria.evaluation.results import EvaluationResult
from noria.system.files import scratch_folder
from steps.shared.mlflow_tracking import log_metrics


def with_test_metrics(bundle: Bundle, metrics: dict[str, MetricValue], rows: int, version: str) -> Bundle:
    """A copy of the bundle with this version and its metrics on `rows` test rows."""
    return revise_bundle(bundle, scratch_folder() / "bundle", version=version, metrics=metrics, test_rows=rows)


def log_test_metrics(evaluation: EvaluationResult) -> None:
    """Keep the test metrics with the run in MLflow and with the model version in ZenML; the last call counts."""
    metrics = {f"test_{name}": metric.value for name, metric in evaluation.metrics.items()}
    log_metrics(metrics)
    log_metadata({**metrics}, infer_model=True)
