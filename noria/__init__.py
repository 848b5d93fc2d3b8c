"""The domain of Noria in plain Python: it imports no ZenML, no BentoML and no MLflow."""

__version__ = "0.1.0"
