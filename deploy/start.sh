#!/usr/bin/env bash
# Tables, the demo club where the data folder is new, and then the server.
set -euo pipefail
cd "$(dirname "$0")/.."
python=.venv/bin/python
trap 'exit 0' INT TERM

# A port that cannot be had is told now, and not after the demo club was loaded.
"$python" manage.py serve --check "$@"
printf '── tables\n'
"$python" manage.py migrate --verbosity 0
if [ "${DEMO_MODE:-true}" != false ]; then
    printf '── demo club\n'
    # shellcheck disable=SC2086 # DEMO_ARGS are words, as in DEMO_ARGS="--days 2"
    "$python" manage.py demo ${DEMO_ARGS:-}
fi
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
