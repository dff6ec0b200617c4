# Everything runs in .venv, which each target makes as far as it needs it.
# A bare machine wants python3 (3.11 or newer) with pip, and make.

PYTHON ?= python3
PORT ?= 8000
URL ?= http://127.0.0.1:$(PORT)
PIP_ARGS ?=
# The processor's build of torch; the one on PyPI brings gigabytes for graphics cards along.
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu

BIN := .venv/bin
PIP := $(BIN)/python -m pip install -q --disable-pip-version-check $(PIP_ARGS)
TORCH := $(shell sed -n 's/.*"\(torch==[^"]*\)".*/\1/p' pyproject.toml)
# Stamps: what has been installed since pyproject.toml changed.
MADE := .venv/.made
CORE := .venv/.core
ML := .venv/.ml
TEST := .venv/.test

.PHONY: help setup setup-ml setup-test run dev test test-contracts test-smoke lint security-scan bench build clean

help: ## What there is
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

setup: $(CORE) ## Install the app into .venv

setup-ml: $(ML) ## Add what runs local transformers models (torch, without graphics card)

setup-test: $(TEST) ## Add what tests and checks need

run: $(CORE) ## Serve on PORT (8000)
	@exec $(BIN)/zhiyin serve --port $(PORT)

dev: $(TEST) ## Serve on PORT, and start again whenever the code changes
	@exec $(BIN)/zhiyin serve --port $(PORT) --reload

test: $(TEST) ## Run all tests with line coverage, which is 85 % at least
	$(BIN)/python -m pytest -n 2 --dist loadfile --cov --cov-report=term --cov-fail-under=85

test-contracts: $(TEST) ## Run every backend's and engine's contract suite
	$(BIN)/python -m pytest -n 2 --dist loadfile -m contract

test-smoke: $(TEST) ## Try a running app at URL
	$(BIN)/python -m pytest tests/smoke --smoke-url $(URL)

lint: $(TEST) ## Style, types, layers, and the README's table of settings
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports --no-cache
	$(BIN)/zhiyin settings --check README.md

security-scan: $(TEST) ## Static security rules, and known holes in dependencies where their database answers
	$(BIN)/ruff check --select S app graphs nodes tools flags evals scripts
	scripts/audit-dependencies $(BIN)/python

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

# torch comes first and by itself: once it is there, nobody looks for it on PyPI.
$(ML): pyproject.toml | $(MADE)
	@$(BIN)/python -c 'from importlib.metadata import version as v; import sys; sys.exit("$(TORCH)" != "torch==" + v("torch").partition("+")[0])' 2>/dev/null \
	  || $(PIP) --no-deps --retries 1 --timeout 20 --index-url $(TORCH_INDEX) '$(TORCH)' \
	  || { echo '$(TORCH) is not to be had from $(TORCH_INDEX): name another index with TORCH_INDEX=...' >&2; exit 1; }
	$(PIP) -e '.[ml]'
	@touch $@ $(CORE)

$(TEST): pyproject.toml $(ML)
	$(PIP) -e '.[test]'
	@touch $(CORE) $(ML) $@
