# Two commands matter: `make demo` and `make test`. Both set up what they need.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Wheels of PyTorch without CUDA; skipped where it cannot be reached. Empty: ask PyPI only.
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
PIP := $(BIN)/pip --disable-pip-version-check --quiet
export NUMBA_CACHE_DIR ?= $(CURDIR)/$(VENV)/numba
export MALLOC_MMAP_THRESHOLD_ ?= 4294967296
export MALLOC_TRIM_THRESHOLD_ ?= 8589934592

.PHONY: help setup demo docs test quick fmt lint types contract lock clean
.DEFAULT_GOAL := help

help:
	@echo "make demo    simulate a genome and take it to demo/report.html"
	@echo "make test    lint, types, import contract, all tests"
	@echo "make quick   the same checks, without the slow tests (under a minute)"
	@echo "make fmt     format the code"
	@echo "make docs    the documentation as pages: site/index.html"
	@echo "make setup   only install into .venv"

setup: $(VENV)/installed

$(VENV)/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Exprimo needs Python 3.11 or newer: make PYTHON=python3.12 ..."; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@# Torch goes first and alone: a range in another package would bring gigabytes of CUDA.
	$(BIN)/python -c 'import torch' 2>/dev/null \
		|| { test -n "$(TORCH_INDEX)" \
			&& $(PIP) install --retries 0 --timeout 10 --index-url $(TORCH_INDEX) \
				$$(grep '^torch==' requirements.lock) 2>/dev/null; } \
		|| $(PIP) install $$(grep '^torch==' requirements.lock)
	$(PIP) install -r requirements.lock
	$(PIP) install --no-deps --no-build-isolation -e .
	touch $@

demo: setup
	rm -rf demo
	$(BIN)/exprimo demo -o demo

# The pages open from disk; what is built is looked through for dead links and foreign addresses.
docs: setup
	$(BIN)/python -c 'import mkdocs, material' 2>/dev/null \
		|| $(PIP) install --no-build-isolation -e '.[docs]'
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	$(BIN)/python tools/docs/built.py site

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

contract: setup
	$(BIN)/lint-imports

test: lint types contract
	$(BIN)/pytest -n 2 --dist loadfile

quick: lint types contract
	$(BIN)/pytest -n 2 --dist loadfile -m "not slow and not real and not browser"

fmt: setup
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

# Write the lock anew from what is installed; review the difference before committing it.
lock: setup
	$(BIN)/pip freeze --all --exclude-editable | sed -e "/^pip==/d" -e 's/+cpu$$//' -e '/^exprimo/d' \
		-e '/@ file/d' > requirements.lock

clean:
	rm -rf build dist site .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
