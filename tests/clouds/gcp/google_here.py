"""What docs/clouds.md makes at Google, as far as it can be had here."""

BUCKET, IMAGE = "our-models", "europe-west3-docker.pkg.dev/ours/noria/noria:1"
NAMES = {
    "NORIA_GCP_PROJECT": "ours",
    "NORIA_GCP_REGION": "europe-west3",
    "NORIA_GCS_BUCKET": BUCKET,
    "NORIA_PIPELINE_IMAGE": IMAGE,
    "NORIA_MLFLOW_URL": "http://127.0.0.1:9",
    "NORIA_MLFLOW_TOKEN": "hunter2",
}
# nobody need look for the identity of a machine at Google
NOWHERE = {"NO_GCE_CHECK": "true"}
