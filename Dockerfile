# Two images from one file. `make images` builds both; `make image` the service alone, with its model.
#   service   answers: noria/, service/ and one model bundle, without the training libraries
#   pipeline  runs the steps of pipelines, and ZenML's and MLflow's servers: the whole environment and the whole code
# A plain Dockerfile: it needs no BuildKit. The classic builder builds every stage above its target, so the small image
# stands first. By hand, from the project folder: mkdir -p bundle && docker build --target service --tag noria .
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS answering
WORKDIR /app
COPY noria/ noria/
COPY service/ service/
COPY bundle/ bundle/
# the root filesystem is read-only when it runs, so modules are compiled now
RUN python -m compileall -q noria service && mkdir -p /volume/data && chown 10001:10001 /volume/data

FROM ${BASE} AS service
COPY requirements-serving.lock /tmp/
# what no request needs goes at once: headers, sources, tests, Arrow's own server, ONNX Runtime's tools for training
RUN python -m venv --without-pip /opt/venv \
 && pip --python /opt/venv/bin/python install --no-cache-dir --require-hashes --only-binary :all: \
      --requirement /tmp/requirements-serving.lock \
 && cd /opt/venv/lib/python3*/site-packages \
 && rm -rf pyarrow/include pyarrow/src pyarrow/*flight* numpy/_core/include numpy/_core/lib \
      onnxruntime/transformers onnxruntime/quantization onnxruntime/tools onnxruntime/datasets \
 && find . -type d -name tests -prune -exec rm -rf {} + \
 && find . -type f \( -name '*.pyi' -o -name '*.pyx' -o -name '*.pxd' \) -delete
COPY --from=answering /app /app
COPY --from=answering /volume/ /
WORKDIR /app
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp \
    BENTOML_HOME=/tmp/bentoml \
    BENTOML_DO_NOT_TRACK=True \
    NORIA_SPOOL_DIR=/data/spool \
    NORIA_PREDICTIONS_URL=sqlite:////data/predictions.db
# what is in the image, in CycloneDX
RUN python noria/deployment/sbom.py /tmp/requirements-serving.lock noria-service > sbom.cdx.json
LABEL org.noria.sbom=/app/sbom.cdx.json
# no privileges, and nothing to write to but /tmp and the volume
USER 10001:10001
VOLUME /data
EXPOSE 3000
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:3000/readyz', timeout=4)"]
CMD ["python", "-m", "service.container_entrypoint"]

FROM ${BASE} AS code
WORKDIR /app
COPY run.py ./
COPY noria/ noria/
COPY service/ service/
COPY materializers/ materializers/
COPY steps/ steps/
COPY pipelines/ pipelines/
COPY app/ app/
COPY cli/ cli/
COPY configs/ configs/
COPY data/ data/
# ZenML unpacks code that it downloads into /app/code
RUN python -m compileall -q run.py noria service materializers steps pipelines app cli \
 && mkdir -p code /volume/data && chown 10001:10001 code /volume/data

FROM ${BASE} AS pipeline
# another lock file for steps that run elsewhere (requirements-kubernetes.lock, -ray, -aws, -azure, -gcp), and what of it has
# no wheel
ARG LOCK=requirements.lock
ARG FROM_SOURCE=:none:
COPY ${LOCK} /tmp/requirements.lock
# the lock names all that is needed and leaves out CUDA, which pip would fetch if it resolved anew; what no step needs
# goes at once: headers, sources, the installer, and tests, though not all that is called so: evidently needs its own
RUN python -m venv --without-pip /opt/venv \
 && pip --python /opt/venv/bin/python install --no-cache-dir --no-deps --require-hashes --only-binary :all: \
      --no-binary ${FROM_SOURCE} --requirement /tmp/requirements.lock \
 && rm -rf /opt/venv/bin/uv /opt/venv/bin/uvx /opt/venv/share/jupyter /opt/venv/evidently /opt/venv/include \
 && cd /opt/venv/lib/python3*/site-packages \
 && rm -rf pyarrow/include pyarrow/src pyarrow/*flight* numpy/_core/include numpy/_core/lib onnx/backend/test/data \
      onnxruntime/transformers onnxruntime/datasets jupyterlab_plotly \
 && find . -regextype posix-extended -type d \
      -regex '\./(matplotlib|numpy|pandas|pyarrow|scipy|sklearn|statsmodels)/(.*/)?tests' -prune -exec rm -rf {} + \
 && find . -type f \( -name '*.pyi' -o -name '*.pyx' -o -name '*.pxd' \) -delete
COPY --from=code /app /app
COPY --from=code /volume/ /
WORKDIR /app
# a container may run as any user, such as the one whose folders are mounted: everything that is written has its place
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp \
    USER=noria \
    NORIA_HOME=/tmp/noria \
    NORIA_PROGRESS=1 \
    ZENML_DISABLE_STEP_NAMES_IN_LOGS=true \
    ZENML_CONFIG_PATH=/tmp/zenml \
    ZENML_ANALYTICS_OPT_IN=false \
    ZENML_ENABLE_REPO_INIT_WARNINGS=false \
    OMP_WAIT_POLICY=PASSIVE \
    MPLCONFIGDIR=/tmp/matplotlib \
    MLFLOW_DISABLE_TELEMETRY=true \
    MLFLOW_LOGGING_LEVEL=ERROR \
    BENTOML_DO_NOT_TRACK=True \
    DO_NOT_TRACK=1
RUN python noria/deployment/sbom.py /tmp/requirements.lock noria-pipeline > sbom.cdx.json
LABEL org.noria.sbom=/app/sbom.cdx.json
USER 10001:10001
