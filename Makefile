# `make demo` and `make stop` are all that a visitor needs; `make test` is what .ci/run does.
# Needs Python 3.11-3.13 and git. No Docker, no key, nothing is asked.
SHELL := /bin/bash
.DEFAULT_GOAL := help
export PYTHONDONTWRITEBYTECODE :=
export PYTHONPATH := $(CURDIR):$(CURDIR)/plugins
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && { echo $$p; break; }; done)
BIN := .venv/bin
FAST_TESTS := $(BIN)/python -m pytest -n 2 --dist loadfile
UV_VERSION := 0.13.9
GA4_FILE ?=
LINK ?=
NIGHTS ?= 3
PORT ?= 8080
SEED ?=

.PHONY: help install demo stop clean disarm faults test test-fast check bench lock

help:
	@echo "make demo    set everything up, run last night through Airflow, leave the UI running"
	@echo "             GA4_FILE=export.ndjson.gz uses a real GA4 export file; LINK=0.4 links that share of its visitors"
	@echo "             to made-up CRM people; NIGHTS=3 runs the file's last three nights (all: every night); PORT=8080"
	@echo "make stop    end everything that make demo started"
	@echo "make clean   the same, and delete the demo's data"
	@echo "make test    every test, lint, types and import contracts; make test-fast: what needs no Airflow run"
	@echo "make disarm  disarm each gate check, and each guard of the ledger, and see what goes red"
	@echo "make faults  10,000 random schedules of crashes, lost answers and withdrawals, and 100 with real processes;"
	@echo "             SEED=7 plays the same ones again"
	@echo "make bench   benchmarks, printed as ratios (docs/benchmarks.md)"
	@echo "make lock    compile requirements*.txt from requirements*.in"

.venv/.installed: requirements.txt requirements-dev.txt
	@test -n "$(PYTHON)" || { echo "Nurture needs Python 3.11, 3.12 or 3.13; none was found. Set PYTHON=/path/to/python3."; exit 1; }
	@echo "Installing Airflow and the package's libraries into .venv …"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python -r requirements.txt -r requirements-dev.txt
	@touch $@

.venv-bigquery/.installed: requirements-emulator.txt .venv/.installed
	@echo "Installing the BigQuery emulator into .venv-bigquery …"
	@test -x .venv-bigquery/bin/python || $(BIN)/python -m venv --without-pip .venv-bigquery
	@$(BIN)/uv pip install --quiet --compile-bytecode --python .venv-bigquery/bin/python -r requirements-emulator.txt
	@touch $@

install: .venv/.installed .venv-bigquery/.installed

demo: install
	@$(BIN)/python -m demo up --port "$(PORT)" --ga4-file "$(GA4_FILE)" --link "$(LINK)" --nights "$(NIGHTS)"

stop:
	@test ! -x $(BIN)/python || $(BIN)/python -m demo stop

clean:
	@test ! -x $(BIN)/python || $(BIN)/python -m demo clean

check: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	MYPYPATH=plugins $(BIN)/mypy -p nurture
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m tests.check_compose

test: check
	$(FAST_TESTS) -m "not airflow and not emulator"
	$(BIN)/python -m pytest -m "airflow or emulator"

test-fast: install
	$(FAST_TESTS) -m "not airflow and not emulator and not slow"

disarm: install
	$(BIN)/python -m tests.disarm_each_check
	$(BIN)/python -m tests.faults.disarm

faults: install
	$(BIN)/python -m tests.faults $(if $(SEED),--seed $(SEED))

bench: install
	$(BIN)/python -m benchmarks

lock: install
	for name in requirements requirements-dev requirements-emulator; do \
		$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate --upgrade $$name.in -o $$name.txt; done
