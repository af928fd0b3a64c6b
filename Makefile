# Every target first sets up what it needs in a virtual environment, .venv. All are safe to run again.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO := data/demo.npz

.DEFAULT_GOAL := help

help:  ## list these targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

demo: $(BIN)/charrnn  ## fetch Shakespeare, train for a minute, write some text
	$(BIN)/python data/fetch.py > data/.corpus
	$(BIN)/charrnn train "$$(cat data/.corpus)" -c $(DEMO) --minutes 1 --force
	$(BIN)/charrnn sample -c $(DEMO) --temp 0.8 --seed 1
	@echo
	$(BIN)/charrnn eval -c $(DEMO)

test: $(VENV)/test  ## run the tests
	$(BIN)/python -m pytest

test-slow: $(VENV)/test  ## run all tests, including the slow ones
	$(BIN)/python -m pytest -m "slow or not slow"

crash: $(VENV)/test  ## kill training 200 times at random moments and check what is left; takes minutes
	$(BIN)/python tests/support/kill_training.py 200

test-all:  ## test every Python found, with the oldest and newest libraries; takes an hour
	$(PYTHON) tests/all_versions.py

fuzz: $(VENV)/fuzz  ## try random checkpoints, texts and commands for ten minutes
	$(BIN)/python fuzz/fuzz.py

lint: $(VENV)/lint  ## check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

data: $(BIN)/charrnn  ## fetch the demo's text into data/
	$(BIN)/python data/fetch.py

picture: $(BIN)/charrnn  ## draw docs/surprisal.svg with the demo's model; run make demo first
	$(BIN)/python docs/surprisal.py

bench: $(VENV)/bench  ## compare speed with PyTorch, measure memory and start-up; takes ten minutes
	$(BIN)/python benchmarks/steps.py --turns 2
	$(BIN)/python benchmarks/steps.py --scaling --turns 2
	$(BIN)/python benchmarks/sampling.py --turns 2
	$(BIN)/python benchmarks/evaluation.py --turns 2
	$(BIN)/python benchmarks/memory.py
	$(BIN)/python benchmarks/startup.py

bench-text: $(BIN)/charrnn  ## time scoring and the search for copied passages
	$(BIN)/python benchmarks/scoring.py
	$(BIN)/python benchmarks/overlap.py

bench-quality: $(VENV)/bench  ## plot loss against training time: make bench-quality TEXT=corpus.txt; takes hours
	@test -n "$(TEXT)" || { echo 'TEXT is not set; run: make bench-quality TEXT=corpus.txt' >&2; exit 2; }
	$(BIN)/python benchmarks/quality.py "$(TEXT)"

clean:  ## remove the virtual environment, corpora, demo model and caches
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis
	rm -f data/*.txt data/*.npz data/*.npz.bak data/*.npz.new data/.corpus
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit("charrnn needs Python 3.10 or newer; try make PYTHON=python3.12" if sys.version_info < (3, 10) else 0)'
	$(PYTHON) -m venv $(VENV)

$(BIN)/charrnn: setup.cfg pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/test $(VENV)/lint $(VENV)/bench $(VENV)/fuzz: $(VENV)/%: $(BIN)/charrnn
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$*]'
	@touch $@

.PHONY: help demo test test-slow test-all crash fuzz lint data picture bench bench-text bench-quality clean
