# The commands of this project. `make run` and `make test` are the two that matter; `make help` lists the rest.
# A machine needs Python 3.11 or newer, make, git and a package client; everything else is fetched.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PORT ?= 8000
HOST ?= 127.0.0.1
DATA_DIR ?= $(CURDIR)/data
export DATA_DIR
# The suite starts many processes: each would compile the project anew.
unexport PYTHONDONTWRITEBYTECODE

PYTHON := .venv/bin/python
BIN := .venv/bin
# More than there are cores: the suite starts servers and browsers of its own, and waits for them.
TEST_WORKERS ?= 3
PYTEST_ARGS ?=
BENCH_ARGS ?=

.PHONY: help run test soak bench-api bench-chat bench-files bench-images bench-signin bench-statements check lint types schema-check format demo-reset schema erd shell doctor coverage \
	requirements install install-dev browser odbc services clean

help: ## list these commands
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: install ## the whole club on this machine: PORT=8000 DATA_DIR=./data HOST=127.0.0.1
	@deploy/start.sh --host "$(HOST)" --port "$(PORT)"

test: install-dev browser odbc services ## everything: linters, then the suite on SQLite and PostgreSQL
	@$(MAKE) check
	@TEST_WORKERS="$(TEST_WORKERS)" PYTEST_ARGS="$(PYTEST_ARGS)" $(PYTHON) -m tests.services -- deploy/test.sh

soak: install-dev odbc services ## storms, kills and floods against running servers, on SQLite and PostgreSQL
	@$(PYTHON) -m tests.services -- $(PYTHON) -m pytest -m soak $(PYTEST_ARGS)

bench-api: install-dev services ## three hot routes beside an Express server: BENCH_ARGS="--engines sqlite --scale 1"
	@$(PYTHON) -m benchmarks.api $(BENCH_ARGS)

bench-signin: install-dev ## hashes, token checks and a storm of sign-ins: BENCH_ARGS="--seconds 10 --rounds 3"
	@$(PYTHON) -m benchmarks.signin $(BENCH_ARGS)

bench-chat: install-dev services ## the chat's fan-out beside Socket.IO: BENCH_ARGS="--clients 1000 --windows 8"
	@$(PYTHON) -m tests.services -- $(PYTHON) -m benchmarks.chat $(BENCH_ARGS)

bench-files: install-dev services ## a private file of 200 kB beside Express and plain nginx: BENCH_ARGS="--quick"
	@$(PYTHON) -m benchmarks.files $(BENCH_ARGS)

bench-statements: install-dev ## splitting 2,000 pages of statements beside PyMuPDF: BENCH_ARGS="--rounds 1"
	@$(PYTHON) -m benchmarks.statements $(BENCH_ARGS)

bench-images: install-dev ## a phone's photo to three WebP beside sharp: BENCH_ARGS="--photo mine.jpg"
	@$(PYTHON) -m benchmarks.images $(BENCH_ARGS)

check: lint types schema-check ## ruff, import contracts, mypy, deployment checks, migrations, OpenAPI

lint: install-dev
	@echo "── ruff"
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@echo "── import contracts"
	@$(BIN)/lint-imports

types: install-dev
	@echo "── mypy"
	@$(BIN)/mypy

schema-check: install-dev
	@deploy/check.sh

format: install-dev ## put the code into its form
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .
	@git ls-files '*.html' | xargs --no-run-if-empty $(BIN)/djade --target-version 5.2

demo-reset: install ## delete the demo club's data and load it afresh (stop the server first)
	@deploy/demo-reset.sh

schema: install ## write the OpenAPI document to docs/openapi.yaml
	@mkdir -p docs
	@$(PYTHON) manage.py spectacular --validate --fail-on-warn --file docs/openapi.yaml
	@echo "docs/openapi.yaml"

erd: install ## write the diagram of the models to docs/erd.md
	@$(PYTHON) manage.py erd

shell: install ## a Python shell with the models at hand
	@$(PYTHON) manage.py shell

doctor: install ## what is wrong with this machine, and what to do about it
	@$(PYTHON) manage.py doctor

coverage: install-dev ## the suite with branch coverage
	@$(PYTHON) -m pytest -n $(TEST_WORKERS) --dist loadfile --cov --cov-report=term $(PYTEST_ARGS)

requirements: install-dev ## resolve pyproject.toml's dependencies again into requirements/*.txt
	@deploy/compile-requirements.sh

install:
	@deploy/bootstrap.sh base

install-dev:
	@deploy/bootstrap.sh dev

browser:
	@deploy/bootstrap.sh browser

services:
	@deploy/bootstrap.sh services

odbc: install-dev
	@deploy/bootstrap.sh odbc

clean: ## remove tool caches (not the environment, not the data)
	@rm -rf .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .schemathesis htmlcov .coverage
	@find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
