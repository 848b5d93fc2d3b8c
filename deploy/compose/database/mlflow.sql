-- MLflow's tables lie apart from the predictions: both number their migrations in a table of the same name.
CREATE DATABASE mlflow;
