#!/usr/bin/env bash
# Deletes what the demo made in the data folder and loads the demo club again. The keys stay.
set -euo pipefail
cd "$(dirname "$0")/.."
data=${DATA_DIR:-data}

if [ -n "${DATABASE_URL:-}" ]; then
    printf 'demo-reset works on the embedded database only, and DATABASE_URL is set.\n' >&2
    exit 1
fi
rm -f "$data"/bcc.sqlite3 "$data"/bcc.sqlite3-wal "$data"/bcc.sqlite3-shm \
    "$data"/outbox.txt "$data"/demo-sign-ins.txt "$data"/clock-offset
rm -rf "$data"/files
.venv/bin/python manage.py migrate --verbosity 0
.venv/bin/python manage.py demo
