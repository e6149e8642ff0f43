# Two commands matter: `make run` and `make test`. Both work on a bare Debian 12 with python3, pip and make.
VENV := .venv
BIN := $(VENV)/bin
# Not an environment's own: in a shell that has `.venv` activated, `python3` is the one without pip.
PYTHON ?= $(shell python3 -c 'import sys; print(sys.base_prefix)')/bin/python3
PACKAGES := shared pulse_unit collector elec_meter
CODE := $(PACKAGES) tests benchmarks fuzz
ARGS ?=
EXTRAS ?= all

# Debian's python3 has no ensurepip; its pip installs into another interpreter's environment instead.
PIP := $(PYTHON) -m pip --python $(BIN)/python --disable-pip-version-check install --quiet

.PHONY: run test test-all lint bench fuzz screenshots firmware extras clean help

help: ## say what each target does
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

run: $(VENV)/.warm ## start the demo (ARGS="--speed 60" passes options on)
	@$(BIN)/elec-meter demo $(ARGS)

test: $(VENV)/.test $(VENV)/.debian $(VENV)/.warm lint ## lint, types and every test that takes seconds
	$(BIN)/python -m pytest -n 4 -q -m "not slow"

test-all: $(VENV)/.test $(VENV)/.debian lint ## the slow tests too, and more examples
	$(BIN)/python -m pytest -n 2 -q --timeout 3000 --hypothesis-profile thorough

lint: $(VENV)/.test ## ruff and mypy --strict
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/mypy

bench: $(VENV)/.test ## side-by-side benchmarks: one table, and benchmarks/results.json
	$(BIN)/python -m benchmarks

fuzz: $(VENV)/.test ## bounded fuzzing of what reads bytes from outside, under ten minutes
	$(BIN)/python -m fuzz $(ARGS)

screenshots: $(VENV)/.test $(VENV)/.debian ## pictures of the web panel, into docs/pictures
	$(BIN)/python -m tests.elec_meter.panel.screenshots

firmware: $(VENV)/.test ## compile what the pulse unit's boards run, into build/firmware
	$(BIN)/pulse-unit firmware stm32wb
	$(BIN)/pulse-unit firmware esp32

extras: | $(BIN)/python ## install what some commands need besides (EXTRAS=parquet for one alone)
	$(PIP) --editable '.[$(EXTRAS)]'

clean: ## remove the environment and every cache
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	$(PYTHON) -m venv --without-pip $(VENV)

$(VENV)/.run: pyproject.toml | $(BIN)/python
	$(PIP) --editable '.[mqtt,panel]'
	@touch $@

$(VENV)/.test: pyproject.toml | $(BIN)/python
	$(PIP) --editable '.[all,test]'
	@touch $@ $(VENV)/.run

$(VENV)/.debian: tests/debian-packages.sh | $(BIN)/python
	@tests/debian-packages.sh
	@touch $@

# Compiling costs seconds once; here it is part of installing, not of the first reading or of each
# process that tests.
$(VENV)/.warm: $(VENV)/.run $(wildcard elec_meter/metrology/*.py)
	$(BIN)/python -m elec_meter.metrology
	$(BIN)/python -m compileall -q -j 0 $(PACKAGES)
	@touch $@
