# The service with one model bundle. `make image` builds it; by hand, from a folder with noria/, service/, bundle/ and
# requirements-serving.lock: docker build --tag noria .
# A plain Dockerfile: it needs no BuildKit.
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS packages
COPY requirements-serving.lock /tmp/
RUN python -m venv --without-pip /opt/venv \
 && pip --python /opt/venv/bin/python install --no-cache-dir --require-hashes --only-binary :all: \
      --requirement /tmp/requirements-serving.lock
# what no request needs: headers, sources, tests, Arrow's own server, ONNX Runtime's tools for training
RUN cd /opt/venv/lib/python3*/site-packages \
 && rm -rf pyarrow/include pyarrow/src pyarrow/*flight* numpy/_core/include numpy/_core/lib \
      onnxruntime/transformers onnxruntime/quantization onnxruntime/tools onnxruntime/datasets \
 && find . -type d -name tests -prune -exec rm -rf {} + \
 && find . -type f \( -name '*.pyi' -o -name '*.pyx' -o -name '*.pxd' \) -delete

FROM ${BASE} AS code
WORKDIR /app
COPY noria/ noria/
COPY service/ service/
COPY bundle/ bundle/
# the root filesystem is read-only when it runs, so modules are compiled now
RUN python -m compileall -q noria service && mkdir -p /volume/data && chown 10001:10001 /volume/data

FROM ${BASE}
COPY --from=packages /opt/venv /opt/venv
COPY --from=code /app /app
COPY --from=code /volume/ /
WORKDIR /app
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp \
    BENTOML_HOME=/tmp/bentoml \
    BENTOML_DO_NOT_TRACK=True \
    NORIA_SPOOL_DIR=/data/spool \
    NORIA_PREDICTIONS_URL=sqlite:////data/predictions.db
# no privileges, and nothing to write to but /tmp and the volume
USER 10001:10001
VOLUME /data
EXPOSE 3000
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:3000/readyz', timeout=4)"]
CMD ["python", "-m", "service.contained"]
