# `make help` lists what there is. Needed beforehand: Python 3.11 or later, make, Node 20.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
UI := jupyter_pycaret_ops/labextension/static/style.js
UI_SOURCES := $(shell find labextension/src labextension/style labextension/schema -type f 2>/dev/null) \
	labextension/package.json labextension/tsconfig.json

#: test modules at once; each has servers, kernels and a database of its own, and waits for them often
TEST_WORKERS ?= 3
#: browsers at once, each with a JupyterLab
TEST_BROWSERS ?= 2

# modules in the order that tests/conftest.py gives them
PYTEST := $(BIN)/python -m pytest --dist loadfile --no-loadscope-reorder

.PHONY: help install lab test test-fast bench bench-quality lint format api-types panel-css constraints wheel clean
.DEFAULT_GOAL := help

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(STAMP): pyproject.toml requirements/constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or later is needed, not " + sys.version.split()[0] + "; run make PYTHON=/path/to/python3.11") if sys.version_info < (3, 11) else None'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	rm -rf $(VENV)/share/jupyter/labextensions/jupyter-pycaret-ops  # a link into the checkout
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	# compiled once: else the first start of a kernel does it, or each where PYTHONDONTWRITEBYTECODE is set
	SKIP_JUPYTER_BUILDER=1 $(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python \
		--prerelease if-necessary \
		--constraint requirements/constraints.txt --group test --group lint --editable '.[all]'
	touch $@

$(UI): $(UI_SOURCES) | $(STAMP)
	cd labextension && PATH="$(CURDIR)/$(BIN):$$PATH" jlpm install --immutable
	cd labextension && PATH="$(CURDIR)/$(BIN):$$PATH" jlpm build:prod
	touch $@

$(VENV)/.linked: $(STAMP) $(UI) jupyter-config/jupyter_server_config.d/jupyter_pycaret_ops.json
	mkdir -p $(VENV)/share/jupyter/labextensions $(VENV)/etc/jupyter/jupyter_server_config.d
	rm -rf $(VENV)/share/jupyter/labextensions/jupyter-pycaret-ops
	ln -s "$(CURDIR)/jupyter_pycaret_ops/labextension" $(VENV)/share/jupyter/labextensions/jupyter-pycaret-ops
	cp jupyter-config/jupyter_server_config.d/jupyter_pycaret_ops.json $(VENV)/etc/jupyter/jupyter_server_config.d/
	touch $@

install: $(STAMP) $(VENV)/.linked  ## make .venv with the pinned dependencies, all extras, and the panel

lab: install  ## open JupyterLab with the extension, sample tables and sample notebooks
	mkdir -p .lab && cp -n examples/* .lab/ || true
	$(BIN)/jupyter lab $(if $(filter 0,$(shell id -u)),--allow-root) --ServerApp.root_dir="$(CURDIR)/.lab" $(LAB_ARGS)

test: install  ## every test; installs Chromium and PostgreSQL from Debian where missing
	.ci/system-packages
	$(PYTEST) -n $(TEST_WORKERS) --ignore tests/browser $(TEST_ARGS)
	$(PYTEST) -n $(TEST_BROWSERS) tests/browser --ignore tests/browser/test_size.py $(TEST_ARGS)
	$(PYTEST) -n 0 tests/browser/test_size.py $(TEST_ARGS)  # it measures, so it is alone
	cd labextension && PATH="$(CURDIR)/$(BIN):$$PATH" jlpm test

test-fast: install  ## under 3 minutes, for work in progress: no servers, kernels, browsers, PostgreSQL
	$(PYTEST) -n 2 -m "not slow" --ignore tests/browser $(TEST_ARGS)
	cd labextension && PATH="$(CURDIR)/$(BIN):$$PATH" jlpm test

bench: install  ## measure; prints ratios taken side by side
	$(BIN)/python -m bench $(BENCH_ARGS)

bench-quality: install  ## measure AutoML beside FLAML, AutoGluon and PyCaret 3.3, each in its own environment; takes an hour
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m bench quality

lint: install  ## ruff, mypy, eslint, prettier, and no download addresses in what is pinned
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	! grep -nE 'https?://' requirements/constraints.txt labextension/yarn.lock
	cd labextension && PATH="$(CURDIR)/$(BIN):$$PATH" jlpm lint:check

format: install  ## let ruff and prettier lay out the code
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .
	cd labextension && PATH="$(CURDIR)/$(BIN):$$PATH" jlpm lint

api-types: install  ## generate the types of the API for the panel and the client from the OpenAPI document
	$(BIN)/python -m tests.contract.client_types > $(VENV)/api_types.py
	mv $(VENV)/api_types.py jupyter_pycaret_ops/client/api_types.py
	$(BIN)/python -c 'import json; from jupyter_pycaret_ops.server.api.openapi import document; print(json.dumps(document()))' \
		| (cd labextension && node scripts/apiTypes.mjs) > labextension/src/api/schema.ts.new
	mv labextension/src/api/schema.ts.new labextension/src/api/schema.ts

panel-css: $(STAMP)  ## make the style of the panels under cells anew from the side panel's
	$(BIN)/python labextension/scripts/panel_css.py

constraints: $(STAMP)  ## pin the newest versions that go together
	$(BIN)/uv pip compile pyproject.toml --quiet --upgrade --universal --python-version 3.11 \
		--prerelease if-necessary --extra all --group test --group lint \
		--no-header --no-annotate --output-file requirements/constraints.txt

wheel: $(STAMP)  ## build the wheel into dist/, with the panel built anew
	rm -rf jupyter_pycaret_ops/labextension dist
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m pip wheel --no-deps --wheel-dir dist .

clean:  ## remove what was built and installed
	rm -rf $(VENV) .lab dist build jupyter_pycaret_ops/labextension \
		labextension/lib labextension/lib-test labextension/node_modules
