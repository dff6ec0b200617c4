# Everything runs in .venv, which each target makes as far as it needs it.
# A bare machine wants python3 (3.11 or newer) with pip, and make.

PYTHON ?= python3
PORT ?=
URL ?= http://127.0.0.1:$(or $(PORT),8000)
TOKEN ?=
PIP_ARGS ?=
# The processor's build of torch; the one on PyPI brings gigabytes for graphics cards along.
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu

BIN := .venv/bin
PIP := $(BIN)/python -m pip install -q --disable-pip-version-check $(PIP_ARGS)
PINNED := $(shell sed -n 's/.*"\(torch==[^"]*\)".*/\1/p' pyproject.toml)
# Stamps: what has been installed since pyproject.toml changed.
MADE := .venv/.made
CORE := .venv/.core
TORCH := .venv/.torch
ML := .venv/.ml
TEST := .venv/.test

.PHONY: help setup setup-ml setup-test run dev test test-contracts test-smoke lint security-scan bench build clean

help: ## What there is
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

setup: $(CORE) ## Install the app into .venv

setup-ml: $(ML) ## Add what runs local transformers models (torch, without graphics card)

setup-test: $(TEST) ## Add what tests and checks need

run: $(CORE) ## Serve on PORT (else the one in .env, else 8000)
	@exec $(BIN)/zhiyin serve $(if $(PORT),--port $(PORT))

dev: $(TEST) ## The same, and start again whenever the code changes
	@exec $(BIN)/zhiyin serve $(if $(PORT),--port $(PORT)) --reload

test: $(TEST) ## Run all tests with line coverage, which is 85 % at least
	$(BIN)/python -m pytest -n 2 --dist loadfile --cov --cov-report=term --cov-fail-under=85

test-contracts: $(TEST) ## Run every backend's and engine's contract suite
	$(BIN)/python -m pytest -n 2 --dist loadfile -m contract

test-smoke: $(TEST) ## Try a running app at URL, with a bearer TOKEN where it wants one
	@$(BIN)/python -m pytest tests/smoke --smoke-url $(URL) --smoke-token '$(TOKEN)'

lint: $(TEST) ## Style, types, layers, and the README's table of settings
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports --no-cache
	$(BIN)/zhiyin settings --check README.md

security-scan: $(TEST) ## Static security rules, and known holes in dependencies where their database answers
	$(BIN)/ruff check --select S --ignore S603,S607 app graphs nodes tools flags evals scripts
	$(BIN)/python scripts/audit_dependencies.py

bench: $(TEST) ## What a turn, a search and the process cost, beside their floors
	$(BIN)/python -m evals.bench.turns
	$(BIN)/python -m evals.bench.search
	$(BIN)/python -m evals.bench.footprint

build: $(TEST) ## Wheel and source archive in dist/
	$(BIN)/python -m build

clean: ## Remove .venv and what tools left behind
	rm -rf .venv dist .coverage htmlcov .hypothesis .ruff_cache .import_linter_cache

# Debian's python3 cannot put a pip into the environments it makes: then the system's pip does.
$(MADE):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo 'Python 3.11 or newer is needed: make PYTHON=python3.12 ...' >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 \
	  || $(PYTHON) -m venv --clear .venv >/dev/null 2>&1 \
	  || { $(PYTHON) -m venv --clear --without-pip .venv && $(PYTHON) -m pip --python $(BIN)/python install -q pip; }
	@touch $@

$(CORE): pyproject.toml | $(MADE)
	$(PIP) -e .
	@touch $@

# By itself and first: once it is there, nobody looks for it on PyPI.
$(TORCH): pyproject.toml | $(MADE)
	@$(BIN)/python -c 'from importlib.metadata import version; import sys; \
	    sys.exit("torch==" + version("torch").partition("+")[0] != "$(PINNED)")' 2>/dev/null \
	  || $(PIP) --no-deps --retries 1 --timeout 20 --index-url $(TORCH_INDEX) '$(PINNED)' \
	  || { echo '$(PINNED) is not to be had from $(TORCH_INDEX): name another index, TORCH_INDEX=...' >&2; exit 1; }
	@touch $@

$(ML): pyproject.toml $(TORCH)
	$(PIP) -e '.[ml]'
	@touch $(CORE) $@

$(TEST): pyproject.toml $(TORCH)
	$(PIP) -e '.[test]'
	@touch $(CORE) $(ML) $@
