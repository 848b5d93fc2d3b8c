# make demo    one whole turn on real data        make test    everything that is checked
# make env     the environment alone              make help    this list
SHELL := /bin/bash
PYTHON ?= python3
ARGS ?=
RUN := .venv/bin/python run.py
CLOUDS := aws azure gcp
# gcsfs, as ZenML wants it, works with this one only
GCP_OVERRIDE := fsspec==2024.12.0
# all that the project itself uses
PROJECT_NEEDS := pyproject.toml --extra monitoring --group app
UV_VERSION := $(shell sed -n 's/.*"uv==\([0-9.]*\)".*/\1/p' pyproject.toml)

.DEFAULT_GOAL := help
.PHONY: help env env-dev demo test coverage check lint fast e2e audit sbom secrets lock clouds schema docs-errors benchmarks image images platform wheel clean

help: ## Show the targets
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 14

env: .venv/.env ## Make the environment in .venv from the lock file
env-dev: .venv/.env-dev ## The same with test dependencies

.venv/bin/uv: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed, $(PYTHON) is $$($(PYTHON) --version 2>&1); try: make env PYTHON=python3.11"; exit 1; }
	@test -x .venv/bin/python || $(PYTHON) -m venv .venv
	@.venv/bin/python -m pip install -q --disable-pip-version-check "uv==$(UV_VERSION)"
	@touch $@

.venv/.env: requirements.lock .venv/bin/uv
	@echo "Making the environment in .venv (once) …"
	@.venv/bin/uv pip sync -q --compile-bytecode --require-hashes --python .venv/bin/python \
	  $$(test -f .venv/.env-dev && echo requirements-dev.lock || echo requirements.lock)
	@touch $@
	@du -sh .venv | sed 's/\t.*/ in .venv/'

# the test environment is a superset of the default one
.venv/.env-dev: requirements-dev.lock .venv/bin/uv
	@echo "Making the test environment in .venv (once) …"
	@.venv/bin/uv pip sync -q --compile-bytecode --require-hashes --python .venv/bin/python requirements-dev.lock
	@touch .venv/.env $@

demo: env ## Train, deploy, predict over HTTP, label and monitor on the telco churn data (ARGS=--keep leaves it running)
	@$(RUN) demo $(ARGS)

test: env-dev lint ## All checks and all tests
	@.venv/bin/pytest -n auto --dist loadfile --no-loadscope-reorder $(ARGS)

coverage: ## The same, and the lines that no test runs; fewer than 90 % covered is an error
	@$(MAKE) test ARGS="--cov --cov-report=term:skip-covered $(ARGS)"

fast: env-dev ## The tests to run while you work: no servers, no whole pipelines, nothing slow (two minutes)
	@.venv/bin/pytest -n auto --dist loadfile --no-loadscope-reorder -m "not e2e and not docker and not slow" $(ARGS)

lint: env-dev ## ruff, mypy --strict and the arrows of the house
	@.venv/bin/ruff check . && .venv/bin/ruff format --check .
	@.venv/bin/mypy noria run.py cli app pipelines steps materializers service
	@.venv/bin/mypy tests
	@.venv/bin/lint-imports | tail -n 8

audit: env-dev ## Known vulnerabilities of the locked packages, and secrets in the files (ARGS=--required: offline is an error)
	@.venv/bin/python .ci/audit.py $(ARGS)
	@.venv/bin/detect-secrets-hook --baseline .secrets.baseline $$(git ls-files) > .secrets.log || code=$$?; \
	  case "$${code:-0}" in \
	    0) ;; \
	    3) echo "No new secrets; the places in .secrets.baseline were updated: commit it." ;; \
	    *) cat .secrets.log; rm -f .secrets.log; exit 1 ;; \
	  esac; rm -f .secrets.log

sbom: env ## Write what each image holds into dist/sbom, in CycloneDX; an image has its own as /app/sbom.cdx.json
	@mkdir -p dist/sbom
	@for lock in requirements*.lock; do .venv/bin/python noria/deployment/sbom.py $$lock noria-$${lock%.lock} \
	  > dist/sbom/$${lock%.lock}.cdx.json || exit; done; ls dist/sbom

secrets: env-dev ## Accept what looks like a secret and is none, after you have looked at each
	@.venv/bin/detect-secrets scan --baseline .secrets.baseline
	@git diff --stat .secrets.baseline

lock: .venv/bin/uv ## Resolve the dependencies of pyproject.toml into the lock files
	@.venv/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
	  --custom-compile-command "make lock" $(PROJECT_NEEDS) -o requirements.lock
	@.venv/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
	  --custom-compile-command "make lock" --group dev -c requirements.lock $(PROJECT_NEEDS) -o requirements-dev.lock
	@.venv/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
	  --custom-compile-command "make lock" --extra kubernetes -c requirements.lock $(PROJECT_NEEDS) -o requirements-kubernetes.lock
	@.venv/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
	  --custom-compile-command "make lock" --extra alerts -c requirements.lock $(PROJECT_NEEDS) -o requirements-alerts.lock
	@.venv/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
	  --custom-compile-command "make lock" --extra ray -c requirements.lock $(PROJECT_NEEDS) -o requirements-ray.lock
	@.venv/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
	  --custom-compile-command "make lock" --group serving -c requirements.lock -o requirements-serving.lock
	@.venv/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
	  --custom-compile-command "make lock" benchmarks/served/requirements-peers.in -o benchmarks/served/requirements-peers.txt
	@$(foreach cloud,$(CLOUDS),$(call lock_cloud,$(cloud),requirements.lock,requirements-$(cloud).lock,$(cloud)) && \
	  $(call lock_cloud,$(cloud)-dev,requirements-$(cloud).lock,tests/clouds/$(cloud)/requirements.lock,$(cloud)) &&) true

# a cloud's packages hold the versions of the default ones wherever they can, and else those they have: a lock file starts
# as another one, with itself at the end
define lock_cloud
cat $(2) $(3) > $(3).new && mv $(3).new $(3) && .venv/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
  --no-annotate --custom-compile-command "make lock" $(if $(filter gcp,$(4)),--override <(echo $(GCP_OVERRIDE))) \
  --group $(1) $(PROJECT_NEEDS) -o $(3)
endef

clouds: $(CLOUDS:%=.venv-%/.env) ## The tests of the clouds, against emulators, each in an environment of its own (CLOUDS=aws for one)
	@for cloud in $(CLOUDS); do .venv-$$cloud/bin/python -m pytest tests/clouds $(ARGS) || exit; done

.venv-%/.env: tests/clouds/%/requirements.lock .venv/bin/uv
	@echo "Making the environment in $(@D) (once) …"
	@test -x $(@D)/bin/python || $(PYTHON) -m venv --without-pip $(@D)
	@.venv/bin/uv pip sync -q --compile-bytecode --require-hashes --python $(@D)/bin/python $<
	@touch $@

image: env ## Build the service's container image with the deployed model, or with the one in BUNDLE=folder
	@$(RUN) image $(if $(BUNDLE),--bundle "$(BUNDLE)") $(ARGS)

platform: env ## Start ZenML, MLflow and PostgreSQL in containers on this machine (ARGS=down stops them, ARGS=--help tells more)
	@$(RUN) platform $(ARGS)

images: env ## Build the images that the stack `docker` runs: the steps of pipelines, and the service without a model
	@$(RUN) images

schema: env ## Write the JSON Schema of use-case files, for editors
	@.venv/bin/python -c 'from pathlib import Path; from noria.config import write_schema; write_schema(Path("configs/use_case.schema.json"))'

docs-errors: env ## Write docs/errors.md from the catalogue of error codes
	@.venv/bin/python -m noria.system.error_catalogue > docs/errors.md

benchmarks: env-dev ## Measure quality, the pipeline, serving and batch inference against others, and the service under trouble (hours)
	@.venv/bin/python benchmarks/pipeline_overhead.py
	@.venv/bin/python benchmarks/serving.py
	@.venv/bin/python benchmarks/batch.py
	@.venv/bin/python benchmarks/quality.py
	@.venv/bin/python benchmarks/spool.py
	@.venv/bin/python benchmarks/endurance.py
	@.venv/bin/python benchmarks/any_request.py

wheel: env-dev ## Build the package `noria` as a wheel in dist/
	@.venv/bin/python -m hatchling build --target wheel --directory dist

clean: ## Remove the environment and everything Noria made
	@rm -rf .venv .venv-* .noria out dist
