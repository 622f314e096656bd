# make run    the main job: one virtual patient, then pictures
# make test   ruff, mypy, pytest, notebooks
# Both make a virtual environment in .venv if there is none, and install what they need.

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11 python; do \
	$$name -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$name && break; done)
WORKERS ?= 2

.PHONY: help run test lint verify notebooks docs clean
.DEFAULT_GOAL := help

help:
	@sed -n '1,3s/^# //p' Makefile

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer with venv is needed (or: make PYTHON=/path/to/python)"; exit 1; }
	$(PYTHON) -m venv $(VENV)

# One stamp per set of requirements; a changed pyproject.toml installs again.
$(VENV)/.installed: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/.installed-%: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable ".[$*]"
	@touch $@ $(VENV)/.installed

run: $(VENV)/.installed
	@folder=runs/kidney_car_t-$$(date -u +%Y%m%dT%H%M%SZ); \
	$(BIN)/tissuesim run configs/kidney_car_t.yaml --out $$folder && $(BIN)/tissuesim render $$folder

lint: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup
	$(BIN)/python -m pytest --nbmake --nbmake-timeout=120 notebooks

verify: $(VENV)/.installed
	$(BIN)/tissuesim verify

# The notebooks from their text; a test holds that both are in step.
notebooks: $(VENV)/.installed-test
	$(BIN)/python -m jupytext --to ipynb notebooks/*.py

docs: $(VENV)/.installed-docs
	$(BIN)/mkdocs build --strict

clean:
	rm -rf build dist site .mypy_cache .pytest_cache .ruff_cache *.egg-info
