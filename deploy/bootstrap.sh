#!/usr/bin/env bash
# Makes .venv and fills it; does nothing where it is already as requirements/*.txt say.
#   bootstrap.sh base      what running needs
#   bootstrap.sh dev       that, and what tests and linters need
#   bootstrap.sh browser   a Chromium for the browser tests
#   bootstrap.sh odbc      the libraries that pyodbc's wheel lacks, for the tests of SQL Server's dialect
#   bootstrap.sh services  Redis, PostgreSQL, nginx and docker-compose for the tests; nothing is started
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '── %s\n' "$*"; }
fail() { printf 'bootstrap: %s\n' "$*" >&2; exit 1; }

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        command -v sudo >/dev/null && sudo -n "$@"
    fi
}

# Debian's packages, as root or through a sudo that does not ask.
apt_install() {
    command -v apt-get >/dev/null || fail "this needs the package(s) $*; install them with this machine's package manager, then start again."
    as_root true || fail "this needs the package(s) $*; run: sudo apt-get install $*   then start again."
    say "installing $* with apt-get"
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

find_python() {
    local candidate
    for candidate in "${PYTHON:-}" python3.11 python3 python3.12 python3.13; do
        [ -n "$candidate" ] || continue
        if command -v "$candidate" >/dev/null &&
            "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            printf '%s' "$candidate"
            return
        fi
    done
    return 1
}

make_venv() {
    if [ -x .venv/bin/python ] && .venv/bin/python -m pip --version >/dev/null 2>&1; then
        return
    fi
    local python version
    python=$(find_python) || fail "Python 3.11 or newer is needed and was not found; set PYTHON to it."
    say "making .venv with $("$python" --version)"
    rm -rf .venv
    if ! "$python" -m venv .venv >/dev/null 2>&1; then
        # Debian keeps ensurepip in a package of its own.
        version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        say "$python -m venv fails: this machine lacks the package python${version}-venv"
        rm -rf .venv
        apt_install "python${version}-venv"
        "$python" -m venv .venv || fail "python${version}-venv is installed, and -m venv still fails."
    fi
}

hash_of() { sha256sum "requirements/$1.txt" | cut -d' ' -f1; }

# A stamp holds the hash of the file that was installed last. dev holds all of base, at equal versions.
is_installed() {
    local stamp=.venv/.installed-$1
    [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(hash_of "$1")" ]
}

install_requirements() {
    make_venv
    if is_installed "$1" || { [ "$1" = base ] && is_installed dev; }; then
        return
    fi
    say "installing requirements/$1.txt (some minutes at the first time)"
    rm -f .venv/.installed-*
    # A wheel without its source: building one would need a compiler, and trust in a build script. pyvips alone
    # has no wheel; it is plain Python, and what is compiled comes with pyvips-binary.
    .venv/bin/python -m pip install -qq --disable-pip-version-check --only-binary :all: --no-binary pyvips \
        --require-hashes -r "requirements/$1.txt"
    hash_of "$1" > ".venv/.installed-$1"
}

# Debian would start them and make a cluster of its own: the tests want the programs only.
install_services() {
    local missing=() rules=/usr/sbin/policy-rc.d cluster=/etc/postgresql-common/createcluster.conf made=()
    command -v redis-server >/dev/null || missing+=(redis-server)
    compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || command -v postgres >/dev/null || missing+=(postgresql)
    command -v nginx >/dev/null || [ -x /usr/sbin/nginx ] || missing+=(nginx-light)
    command -v openssl >/dev/null || missing+=(openssl)
    command -v docker-compose >/dev/null || missing+=(docker-compose)
    [ "${#missing[@]}" -gt 0 ] || return 0
    if command -v apt-get >/dev/null; then
        if [ ! -e "$rules" ] && printf '#!/bin/sh\nexit 101\n' | as_root tee "$rules" >/dev/null 2>&1; then
            as_root chmod 755 "$rules"
            made+=("$rules")
        fi
        if [ ! -e "$cluster" ] && as_root mkdir -p "${cluster%/*}" 2>/dev/null; then
            printf 'create_main_cluster = false\n' | as_root tee "$cluster" >/dev/null
        fi
    fi
    # shellcheck disable=SC2064 # what was made until now is what is taken away
    [ "${#made[@]}" -eq 0 ] || trap "as_root rm -f ${made[*]}" EXIT
    apt_install "${missing[@]}"
}

find_browser() { command -v chromium || command -v chromium-browser || command -v google-chrome; }

# A machine without these still serves SQLite and PostgreSQL: only SQL Server's back end imports pyodbc.
has_odbc() { .venv/bin/python -c "import pyodbc" 2>/dev/null; }

case "${1:-}" in
    base | dev) install_requirements "$1" ;;
    browser) find_browser >/dev/null || apt_install chromium ;;
    odbc) has_odbc || apt_install libodbc2 libltdl7 libgssapi-krb5-2 ;;
    services) install_services ;;
    *) fail "say which: base, dev, browser, odbc or services." ;;
esac
