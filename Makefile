# Needs Python 3.11 or newer and make; everything else is installed into .venv.
PYTHON ?= python3
ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
else
BIN := .venv/bin
endif
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

COVERED = $(wildcard tests/unit/science tests/unit/share tests/property/test_property_science*.py \
  tests/property/test_property_share*.py)

.PHONY: demo test test-all coverage lint format bench docs locks wheels clean

demo: .venv/.installed
	$(BIN)/ecotone demo

test: .venv/.installed-test
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow"
	$(MAKE) coverage

test-all: .venv/.installed-test
	$(BIN)/python -m pytest -n 2 --dist loadfile

# Compiled kernels are run as Python here, so that their branches are seen.
coverage: .venv/.installed-test
	NUMBA_DISABLE_JIT=1 $(BIN)/python -m pytest -q -n 2 --dist loadfile -m "not slow" \
	  --cov=ecotone.science --cov=ecotone.share --cov-branch --cov-report=term-missing:skip-covered \
	  --cov-fail-under=95 $(COVERED)

lint: .venv/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/.installed-test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv/.installed-test
	$(BIN)/python -m benchmarks

docs: .venv/.installed-docs
	$(BIN)/python docs/pages.py
	$(BIN)/python -m sphinx -W -q -b html docs docs/_build

# One lock per system and Python, wheels only; `make locks` after any change to constraints.txt.
locks: .venv/.installed-test
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/python tools/locks.py

# A folder for installation without a network: make wheels SYSTEM=windows-amd64 VERSION=3.12
wheels: .venv/.installed
	$(BIN)/python tools/wheels.py $(if $(SYSTEM),--system $(SYSTEM)) $(if $(VERSION),--python $(VERSION))

clean:
	rm -rf .venv docs/_build ecotone-demo

.venv/bin-made: constraints.txt
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'Ecotone needs Python 3.11 or newer; name it with make PYTHON=...')"
	$(PYTHON) -m venv .venv
	touch $@

.venv/.installed: .venv/bin-made pyproject.toml constraints.txt
	$(INSTALL) -e '.[serve]'
	touch $@

.venv/.installed-test: .venv/bin-made pyproject.toml constraints.txt
	$(INSTALL) -e '.[serve,test]'
	touch $@ .venv/.installed

.venv/.installed-docs: .venv/.installed-test
	$(INSTALL) -e '.[docs]'
	touch $@
