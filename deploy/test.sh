#!/usr/bin/env bash
# Every test on SQLite, then what depends on the engine on PostgreSQL. Run by `make test`, inside of
# `python -m tests.services`, which names both servers.
#   TEST_WORKERS   processes of pytest (3)
#   PYTEST_ARGS    more arguments for both runs
# What is marked `soak` is run by `make soak`. Where DATABASE_URL is set the whole suite runs on that
# server instead, once.
set -euo pipefail
cd "$(dirname "$0")/.."
# In the order of tests/conftest.py, which lets those begin first that wait the longest.
pytest() {
    .venv/bin/python -m pytest -n "${TEST_WORKERS:-3}" --dist loadfile --no-loadscope-reorder ${PYTEST_ARGS:-} "$@"
}

if [ -n "${DATABASE_URL:-}" ]; then
    printf '── tests on the server that DATABASE_URL names\n'
    pytest
    exit
fi
printf '── tests\n'
pytest
printf '── tests of what depends on the engine, on PostgreSQL\n'
# Only the files that have any of them are read: collecting all takes three workers half a minute.
mapfile -t files < <(grep -rl --include='test_*.py' 'mark\.engine' tests)
DATABASE_URL=$TEST_POSTGRES_URL pytest -m "engine and not soak" "${files[@]}"
