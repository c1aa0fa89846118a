# Every command brings what it needs: each works in a fresh clone.
.NOTPARALLEL:
.PHONY: help setup setup-tests lock run worker test check prove bench messages clean

python := .venv/bin/python
# How many cases `make prove` tries.
N ?= 1000
# How many processes share the tests; 0 runs them in one, as a debugger wants it.
WORKERS ?= auto
# More for pytest, such as `make test ARGS="-k refund"`.
ARGS ?=

help:
	@echo "make run      the platform on http://localhost:8000 (PORT=... for another port, DEMO=0 for no demo world)"
	@echo "make test     all tests           make check    format, lint, types, floors, migrations"
	@echo "make prove    long proofs (N=...) make bench    benchmarks"
	@echo "make worker   one more worker     make setup    only the virtual environment"
	@echo "make lock     the lock files, after a change of a pin"
	@echo "make clean    remove the virtual environment and caches; the data in .data stay"

setup:
	@.ci/virtualenv requirements.txt

setup-tests:
	@.ci/virtualenv tests/requirements.txt
	@.ci/packages

# After a change of a pin: what everything installs is what the locks name.
lock: setup-tests
	@.ci/lock

# exec: a signal to make reaches the platform itself, with no shell between them.
run: setup
	@exec $(python) manage.py up

worker: setup
	@exec $(python) -m celery -A merchant_platform worker --loglevel INFO \
		--queues money,delivery,reports,marketing --pool prefork --concurrency 1

# A class, or the functions of a file, stay together: what they share is made once.
test: setup-tests
	@$(python) -m pytest -n $(WORKERS) --maxprocesses 4 --dist loadscope --no-loadscope-reorder $(ARGS)

prove: setup-tests
	@PROVE_N=$(N) $(python) -m pytest -m prove $(ARGS)

bench: setup-tests
	@$(python) -m tests.benchmarks

# Collect the texts of code and templates for translation, and compile what is translated.
messages: setup-tests
	@$(python) manage.py messages

# makemigrations asks the database for its history where one answers, and warns where none does.
check: setup-tests
	.venv/bin/ruff format --check
	.venv/bin/ruff check
	find templates -name '*.html' -print0 | xargs -0 -r .venv/bin/djade --check --target-version 5.2
	$(python) -m mypy
	.venv/bin/lint-imports
	$(python) -W "ignore:Got an error checking a consistent migration history" manage.py makemigrations --check --dry-run
	$(python) manage.py check --fail-level WARNING

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +
