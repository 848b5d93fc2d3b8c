"""The phases that the time of a run is divided into."""

PYTHON = "Python: start, modules, exit"
STAGES = (
    "fingerprint",
    "ingest",
    "validate",
    "explore",
    "split",
    "train_candidates",
    "tune",
    "select",
    "evaluate",
    "gate",
    "refit",
    "reports",
)
"""The work itself, which both sides do."""
ZENML_IMPORTS, ZENML_CLIENT, ZENML_STEPS = "ZenML: imports", "ZenML: client and stack", "ZenML: running the steps"
SAVE, LOAD = "materializing: save", "materializing: load"
MLFLOW_IMPORTS, MLFLOW_RUNS, MLFLOW_REGISTRY = "MLflow: imports", "MLflow: runs and trials", "MLflow: registering"
ADDED = (
    ZENML_IMPORTS,
    ZENML_CLIENT,
    ZENML_STEPS,
    SAVE,
    LOAD,
    MLFLOW_IMPORTS,
    MLFLOW_RUNS,
    MLFLOW_REGISTRY,
)
"""What a plain script does not have."""
