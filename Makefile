# SPDX-License-Identifier: MIT
# All commands of the project. `make help` lists them.

PYTHON ?= python3
LNBITS_PYTHON ?= $(PYTHON)
VENV   := .venv
MPENV  := .venv-mp
LNENV  := .venv-lnbits
PY     := $(VENV)/bin/python
MICROPYTHON ?= $(CURDIR)/$(MPENV)/bin/micropython
CUT    ?=
JOBS   ?= 2
MICROPYTHON32 ?=
export MICROPYTHON
unexport PYTHONDONTWRITEBYTECODE # every process that a test starts would compile our own modules anew

.DEFAULT_GOAL := help
.PHONY: help setup setup-wallets run test long check sizes demo day bench cuts fuzz monkey rot heap leaks journal support hand-in hwtest fonts scenes guide dukpt-long boards image flash provision emulate

help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z0-9_-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@printf '  Options are variables: make flash BOARD=kassa_s3 PORT=/dev/ttyACM0 MICROPYTHON_IMAGE=file.bin\n'
	@printf '  MICROPYTHON=/path: another MicroPython for the computer (Unix port 1.26 or newer, with TLS).\n'

# The project's MicroPython is installed only if MICROPYTHON does not name another one.
OURS   := $(CURDIR)/$(MPENV)/bin/micropython
READY  := $(VENV)/.ready $(if $(filter $(OURS),$(MICROPYTHON)),$(MPENV)/.ready)

# $(call need,PORT KEY,PORT=/dev/ttyACM0 KEY=public.pem): ends with one line if one of these variables is empty.
need = $(foreach name,$(1),$(if $($(name)),,$(error $(name) is missing: make $@ $(2))))
# $(call number,N): ends with one line if the variable holds anything but digits.
number = $(foreach name,$(1),$(if $(shell echo '$($(name))' | tr -d 0-9),$(error $(name) must be a whole number, not '$($(name))')))

setup: $(READY) ## create both virtual environments in the checkout (the other targets do so too)

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

setup-wallets: $(LNENV)/.ready ## make an environment with a real LNbits server for the tests of wallets; LNBITS_PYTHON=python3.12

$(LNENV)/.ready: tools/setup.py
	@echo "setup: LNbits, a Lightning wallet's server for tests -> $(LNENV)"
	@$(LNBITS_PYTHON) -m venv $(LNENV)
	@$(PYTHON) tools/setup.py $(LNENV)
	@touch $@

run: setup ## start host, terminal and web panel, and print the address; DIR=dir instead of build/run
	@$(PY) -m tools.panel $(if $(DIR),--home $(DIR))

test: setup ## run the tests, of many like cases a share (`make long`: all); JOBS=n at a time (2)
	@MICROPYTHON32="$(MICROPYTHON32)" $(PY) -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder host_tests

check: setup ## run ruff, check types, compile the firmware for the chip, and compare its size
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check --quiet .
	@$(PY) tools/check.py

sizes: setup ## accept today's bytecode sizes; `make check` allows 5 % more
	@$(PY) tools/check.py --accept

demo: setup ## play the demo into OUT=dir (build/demo); CUT=k cuts the power at flash operation k (0: never)
	$(call number,CUT)
	@$(PY) -m tools.demo $(or $(OUT),build/demo) $(if $(CUT),--cut $(CUT))

day: setup ## play a day in a shop; till, receipts, journal and ledger must agree
	@$(PY) -m tools.demo.day

bench: setup ## measure every figure of docs/performance.md, and write bench.json
	@$(PY) -m tools.bench

cuts: setup ## cut the power N=20000 times, in every flow; SEED=n repeats a run
	$(call number,N SEED)
	@$(PY) -m host_tests.cuts $(or $(N),20000) $(SEED)

fuzz: setup ## feed mutated card, reader and host data to the parsers for SECONDS=60; SEED=n repeats a run
	$(call number,SECONDS SEED)
	@$(PY) -m host_tests.fuzz $(or $(SECONDS),60) $(SEED)

monkey: setup ## press keys at random in LIVES=4 lives of a terminal, in a chip's heap; SEED=n repeats them
	$(call number,LIVES SEED)
	@$(PY) -m host_tests.monkey $(or $(LIVES),4) $(SEED)

long: setup ## run the tests with every case: every cell, kill, bit, screen, interpreter and database
	@KASSA_LONG=1 MICROPYTHON32="$(MICROPYTHON32)" $(PY) -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder host_tests

rot: setup ## flip every single bit of a journal; at most one record may suffer
	@KASSA_LONG=1 $(PY) -m pytest -q -s host_tests/vault/test_journal_rot.py

heap: setup ## find the smallest heap of the whole terminal; fails above 96 KiB (32-bit MicroPython)
	@$(PY) -m tools.bench.heap

leaks: setup ## make N=1000 sales; fails if the heap grows by more than 1 KiB (32-bit MicroPython)
	$(call number,N)
	@$(PY) -m tools.bench.leaks $(or $(N),1000)

boards: setup ## check pins, partition tables, sdkconfig and manifest of every ESP32 board
	@$(PY) -m tools.hardware

image: setup ## make the partition table and the filesystem of BOARD=kassa_s3 (or kassa_esp32)
	@$(PY) -m tools.image "$(BOARD)"

flash: setup ## write MICROPYTHON_IMAGE=file.bin and the image of BOARD= to the chip at PORT=
	@$(PY) -m tools.flash "$(BOARD)" "$(PORT)" "$(MICROPYTHON_IMAGE)" $(ESPTOOL_OPTIONS)

emulate: setup ## play the day on an emulated ESP32: QEMU=file MICROPYTHON_IMAGE=file; SCENES=n plays the first n
	$(call need,QEMU MICROPYTHON_IMAGE,QEMU=/path/qemu-system-xtensa MICROPYTHON_IMAGE=file.bin)
	$(call number,SCENES)
	@$(PY) -m tools.emulator "$(QEMU)" "$(MICROPYTHON_IMAGE)" $(if $(SCENES),--scenes $(SCENES))

provision: setup ## make a terminal of the chip at PORT=, for the host in HOST=dir (build/host); AGAIN=1 repeats it
	$(call need,PORT,PORT=/dev/ttyACM0)
	@$(PY) -m tools.provision --port "$(PORT)" --board "$(BOARD)" $(if $(AGAIN),--again) $(if $(HOST),--host-home "$(HOST)") $(ARGS)

journal: setup ## show the journal in IMAGE=flash.bin, and any damage; ARGS="--secret FILE --marks --json"
	$(call need,IMAGE,IMAGE=flash.bin)
	@$(PY) -m tools.journal "$(IMAGE)" $(ARGS)

dukpt-long: setup ## compare 2^21 DUKPT keys of the device with the host's; COUNT=n SEED=n choose others
	$(call number,COUNT SEED)
	@MICROPYTHON32="$(MICROPYTHON32)" $(PY) -m host_tests.harness.crypto.many $(COUNT) $(SEED)

support: setup ## read the terminal in safe mode at PORT= into the bundle OUT=file, encrypted to KEY=public.pem
	$(call need,PORT KEY OUT,PORT=/dev/ttyACM0 KEY=public.pem OUT=terminal.ksb)
	@$(PY) -m tools.support pull --port "$(PORT)" --key "$(KEY)" --out "$(OUT)"

hand-in: setup ## give a broken terminal's payments (PORT=, or BUNDLE= KEY=private.pem) to the host in HOST=; BY=name
	$(call need,$(if $(BUNDLE),BUNDLE,PORT) HOST BY,PORT=/dev/ttyACM0 (or BUNDLE=file KEY=private.pem) HOST=dir BY="Ms Li")
	@$(PY) -m tools.support hand-in $(if $(BUNDLE),"$(BUNDLE)") $(if $(PORT),--port "$(PORT)") $(if $(KEY),--key "$(KEY)") --home "$(HOST)" --by "$(BY)" $(ARGS)

hwtest: setup ## test every part of the board at PORT=; ARGS="--unattended --part reader"
	$(call need,PORT,PORT=/dev/ttyACM0)
	@$(PY) -m tools.hwtest --port "$(PORT)" $(ARGS)

scenes: setup ## play every screen of the terminal, and write an album into DIR=dir (build/scenes); ACCEPT=1 takes it for right
	@$(PY) -m tools.scenes "$(or $(DIR),build/scenes)" $(if $(ACCEPT),--accept)

guide: setup ## print the cashier's guide into DIR=dir (build/guide) as PDF, in both languages (needs chromium)
	@$(PY) -m tools.guide "$(or $(DIR),build/guide)"

fonts: setup ## rebuild the screen's font and the printer's character table (needs npm)
	@$(PY) -m tools.fonts.build
	@$(PY) -m tools.fonts.gbk
