# Needs make and Python 3.11 or later; everything else goes into .venv, which is made when it is missing.
#   make PYTHON=python3.12 …   use another interpreter
#   make run PORT=8101         where other services have the ports from 8001
#   make run UP='--demo --story'    print the whole story of the demonstration set; UP= starts without it
#   make ops-test OPS='--failovers 3 --kills 1000 --restores 20 --minutes 300'   for longer
#   make test TESTS='tests/house -k docker'   run some of the tests

PYTHON ?= python3
TESTS ?=
OPS ?=
UP ?= --demo
PORT ?= 8001

VENV := .venv
BIN := $(VENV)/bin
LOCKED := $(VENV)/.locked
INSTALLED := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help install run test ops-test check format bench clients accessibility lock openapi docs clean

help: ## Say what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

install: $(INSTALLED) ## Make .venv and install what requirements.lock names into it

run: $(INSTALLED) ## Start the three services on the demo record, and keep serving until Ctrl-C
	@$(BIN)/bitacora up --first-port $(PORT) $(UP)

test: $(INSTALLED) ## Run the tests, two at a time for each core, eight at most
	@$(BIN)/pytest -n auto --dist loadscope --no-loadscope-reorder $(TESTS)

ops-test: $(INSTALLED) ## Do to a cluster on this machine what operations do (needs Debian's patroni, etcd-server, pgbackrest)
	@$(BIN)/python -m tests.ops $(OPS)

check: $(INSTALLED) ## Format, lint, types, and what may import what
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(INSTALLED) ## Put the code into its format
	@$(BIN)/ruff check --fix-only .
	@$(BIN)/ruff format .

bench: $(INSTALLED) ## Measure against the baseline and print the ratios
	@$(BIN)/python -m bench

clients: ## Make clients from the OpenAPI documents, and ask `make run` one question with each (needs Node.js)
	@PORT=$(PORT) bash docs/examples/clients/make.sh

accessibility: ## Look at the pages of `make run` with axe-core and an HTML validator (needs Node.js and Chromium)
	@PORT=$(PORT) bash tests/accessibility/check.sh

COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" pyproject.toml

lock: ## Resolve the dependencies of pyproject.toml anew (needs uv)
	@command -v uv >/dev/null || { echo "make lock needs uv, and there is none on the path" >&2; exit 1; }
	@$(COMPILE) --all-extras --output-file requirements.lock
	@$(COMPILE) --extra telemetry --constraints requirements.lock --output-file deploy/requirements.lock

openapi: docs

docs: $(INSTALLED) ## Write the generated documents again: OpenAPI, and who may do what
	@$(BIN)/bitacora openapi

clean: ## Remove .venv and every cache; the record in var/ stays
	@rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache dist *.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Either installer takes its index, proxy and certificates from the machine's own configuration. uv does not
# read pip's, so where it fails (a mirror that only pip knows of) pip has its turn.
$(LOCKED): requirements.lock
	@command -v $(PYTHON) >/dev/null || { echo "there is no $(PYTHON): install Python 3.11 or later, or name one: make PYTHON=…" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Bitácora needs Python 3.11 or later, and $(PYTHON) is $$($(PYTHON) --version 2>&1): name another one, make PYTHON=…" >&2; exit 1; }
	@echo "Making $(VENV) with what requirements.lock names; a minute or two …"
	@rm -f $(INSTALLED)
	@if command -v uv >/dev/null \
		&& uv venv --quiet --allow-existing --python "$$(command -v $(PYTHON))" $(VENV) \
		&& uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock; \
	then :; else \
		$(PYTHON) -m venv $(VENV) \
		&& $(BIN)/python -m pip install -qq --require-hashes --requirement requirements.lock; \
	fi
	@touch $@

# The build backend is itself in the lock, so this step fetches nothing.
$(INSTALLED): $(LOCKED) pyproject.toml
	@if command -v uv >/dev/null \
		&& uv pip install --quiet --offline --python $(BIN)/python --no-build-isolation --no-deps --editable .; \
	then :; else \
		$(BIN)/python -m pip install -qq --no-index --no-build-isolation --no-deps --editable .; \
	fi
	@touch $@
