# `make demo` and `make test` do all set-up themselves, in .venv.

PYTHON ?= python3
# The demo's time of training.
DEMO_MINUTES ?= 2
# Where else pip looks for torch. On Linux its wheels of the default index bring CUDA, several GB; this spares them:
#   make demo TORCH_INDEX=https://download.pytorch.org/whl/cpu
TORCH_INDEX ?=

BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install -qq --disable-pip-version-check \
	$(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX))

.PHONY: demo test test-thorough check docs picture clean

demo: .venv/installed  ## train Connect Four, rank the agent, write the report
	$(BIN)/lanista demo --minutes $(DEMO_MINUTES)

test: .venv/installed-for-tests  ## the tests
	$(BIN)/python -m pytest

test-thorough: .venv/installed-for-tests  ## the tests that take longer and tell less, which CI runs, too
	$(BIN)/python -m pytest -m thorough

check: .venv/installed-for-tests  ## style, types, which room may import which, the Dockerfile
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy -p lanista
	$(BIN)/mypy tests
	$(BIN)/lint-imports
	$(BIN)/hadolint Dockerfile

docs: .venv/installed-for-tests  ## the manual, in site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

picture: .venv/installed  ## the README's picture: a demo's report, seen by a browser
	rm -rf runs/picture
	$(BIN)/lanista demo --minutes $(DEMO_MINUTES) --out runs/picture
	chromium --headless --no-sandbox --hide-scrollbars --window-size=1120,890 --screenshot=docs/report.png \
		"file://$(CURDIR)/runs/picture/report.html"

# An environment is reused until pyproject.toml asks for something else.
.venv/installed: .venv/bin/python pyproject.toml
	@echo "installing Lanista in .venv"
	$(INSTALL) --editable .
	@touch $@

.venv/installed-for-tests: .venv/bin/python pyproject.toml
	@echo "installing Lanista and what its tests need in .venv"
	$(INSTALL) --editable '.[test]'
	@touch $@ .venv/installed

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit("Lanista needs Python 3.11 or newer: make PYTHON=python3.11") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .venv

clean:  ## remove the environment
	rm -rf .venv
