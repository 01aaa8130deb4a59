#!/usr/bin/env bash
# Tables, the demo club where the data folder is new, and then the server.
#   DEMO_ARGS   options of `manage.py demo`, as in DEMO_ARGS="--days 2"
set -euo pipefail
cd "$(dirname "$0")/.."
python=.venv/bin/python
trap 'exit 0' INT TERM

"$python" manage.py serve --prepare "$@"
trap - INT TERM

if [ -t 0 ] && [ -t 1 ]; then
    # At a terminal the server gets a process group of its own: Ctrl-C reaches it alone, it stops in
    # order and exits with 0, and make reports that instead of dying of the same Ctrl-C.
    set -m
    "$python" manage.py serve "$@"
else
    # Without one it takes this shell's place, so that a signal and its exit code pass straight through.
    exec "$python" manage.py serve "$@"
fi
