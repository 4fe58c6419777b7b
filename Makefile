# Everything sets itself up: `make demo` and `make test` work on a machine that has Python 3.11 or newer and make.
PYTHON ?= python3
BIN := .venv/bin
WORKERS ?= auto

.DEFAULT_GOAL := help
.PHONY: help demo test set-up lint types layers check bench train mechanism calibrate-effects fuzz constraints clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */\t/' | expand -t 14

set-up:
	@command -v $(PYTHON) >/dev/null 2>&1 || \
	  { echo "set-up: no '$(PYTHON)' found. Install package python3 (3.11 or newer) and python3-venv, then repeat" >&2; exit 1; }
	@$(PYTHON) scripts/set_up.py

demo: set-up  ## simulate a small case series and report on it, into demo-output/
	@$(BIN)/rewarm demo -o demo-output

test: set-up  ## all tests
	@$(BIN)/python -m pytest -q -n $(WORKERS)

lint: set-up  ## style
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: set-up  ## static types
	@$(BIN)/mypy

layers: set-up  ## who may import whom
	@$(BIN)/lint-imports

check: lint types layers test  ## all of these

bench: set-up  ## the benchmarks, each beside a peer or a limit (minutes; needs 20 GB of disk for a while)
	@for file in benchmarks/[a-z]*.py; do echo "== $$file"; PYTHONPATH=. $(BIN)/python $$file || exit 1; done

.venv-train/ready: constraints.txt training/requirements.txt
	@$(PYTHON) training/set_up.py

MINUTES ?= 85
CORES := $(shell nproc 2>/dev/null || echo 1)
THREADS ?= $(CORES)
TRAIN := .venv-train/bin/python -m
# Threads that wait by spinning take the core from the process that paints.
train: export OMP_WAIT_POLICY = PASSIVE
train: .venv-train/ready  ## train the learned finder, or go on with it, and put its weights into the package (MINUTES=85)
	@if [ -e training-output/checkpoint.pt ]; then $(TRAIN) training.train --threads $(THREADS) --resume; \
	  else $(TRAIN) training.train --threads $(THREADS) --minutes $(MINUTES); fi
	@$(TRAIN) training.export
	@$(TRAIN) training.calibrate --processes $(CORES)

mechanism: set-up  ## make the classifier of mechanisms from simulated patients again, and its page (minutes)
	@PYTHONPATH=. $(BIN)/python -m training.mechanism && PYTHONPATH=. $(BIN)/python benchmarks/mechanism.py

calibrate-effects: set-up  ## simulated studies whose truth is known, read by rewarm effect, into docs/calibration and its page (1-2 hours)
	@for what in "" --traps --ranks "--plans examples/plans"; do \
	  $(BIN)/python scripts/calibrate_effects.py --studies 200 $$what -o docs/calibration || exit 1; done
	@$(BIN)/python scripts/calibration_page.py

N ?= 20000
fuzz: set-up  ## damage N files of every kind, and see that every reader says so (N=20000)
	@nice $(BIN)/python scripts/fuzz_readers.py --inputs $(N)

constraints: set-up  ## renew constraints.txt from pyproject.toml
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --all-extras --generate-hashes --no-emit-index-url \
	  --no-header --upgrade pyproject.toml -o constraints.txt

clean:  ## remove what was built
	rm -rf .venv .venv-train demo-output .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
