# Everything sets itself up: a virtual environment in .venv, node_modules, files for the browser under var/.
PYTHON ?= python3

.PHONY: run setup setup-train test test-train lint bench

run:
	@exec $(PYTHON) marketplace/prepare.py run

setup:
	@exec $(PYTHON) marketplace/prepare.py test

setup-train:
	@exec $(PYTHON) marketplace/prepare.py train

test:
	@$(PYTHON) marketplace/prepare.py test
	@exec .venv/bin/python -m tests

test-train:
	@$(PYTHON) marketplace/prepare.py train
	@exec .venv/bin/python -m tests train

lint:
	@$(PYTHON) marketplace/prepare.py test
	@exec .venv/bin/python -m tests.lint

bench:
	@$(PYTHON) marketplace/prepare.py bench
	@exec .venv/bin/python -m tests.bench
