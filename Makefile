# Two commands: `make demo` sets everything up and serves the demo shop; `make test` sets everything up and tests.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: demo test setup lint types check clean

demo: setup  ## make, load and serve the demo shop
	$(BIN)/lingsou demo

test: setup  ## pass all tests
	$(BIN)/python -m pytest -n 2 --dist worksteal

setup: $(STAMP)  ## make .venv with every extra, the benchmark peers and the encoder

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Lingsou needs Python 3.11 or newer")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(INSTALL) --constraint constraints.txt --editable '.[postgres,encoder-build,rank,quality,train,bench,dev]'
	$(BIN)/lingsou models pull e5-small
	touch $(STAMP)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

check: lint types test  ## everything that CI runs

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis
