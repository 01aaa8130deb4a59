#!/usr/bin/env bash
# Resolves pyproject.toml into requirements/*.txt: exact versions with the hashes of every file, and no
# word of where they came from. dev holds everything; the others are parts of it at the same versions.
set -euo pipefail
cd "$(dirname "$0")/.."

compile() {
    local out=requirements/$1.txt
    shift
    .venv/bin/uv pip compile pyproject.toml --quiet --python-version 3.11 --generate-hashes --no-emit-index-url \
        --no-emit-find-links --no-strip-extras --no-config --custom-compile-command "make requirements" "$@" --output-file "$out" >/dev/null
    printf '%s\n' "$out"
}

compile dev --extra dev --extra sqlserver --extra postgres --extra s3 ${UPGRADE:+--upgrade}
compile base --constraint requirements/dev.txt
compile sqlserver --extra sqlserver --constraint requirements/dev.txt
compile postgres --extra postgres --constraint requirements/dev.txt
compile s3 --extra s3 --constraint requirements/dev.txt
