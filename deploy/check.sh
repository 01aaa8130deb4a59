#!/usr/bin/env bash
# The checks that Django itself makes: production settings, migrations, and the OpenAPI document.
set -euo pipefail
cd "$(dirname "$0")/.."
python=.venv/bin/python
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

printf '── deployment check\n'
# Values that production accepts and nothing answers to; checks do not connect.
key() { "$python" -c 'import secrets; print(secrets.token_urlsafe(48))'; }
env DJANGO_SETTINGS_MODULE=bcc.settings.production \
    SECRET_KEY="$(key)" JWT_KEY="$(key)" OTP_KEY="$(key)" DEMO_MODE=false DEBUG=false \
    DATABASE_URL="sqlite:///$scratch/check.sqlite3" REDIS_URL=redis://127.0.0.1:1/0 \
    ALLOWED_HOSTS=club.example.com DATA_DIR="$scratch" EMAIL_URL=smtp://mail.example.com:25 \
    CLUB_NAME=Club CLUB_EMAIL=club@example.com PUBLIC_URL=https://club.example.com \
    "$python" -W error::DeprecationWarning:bcc manage.py check --deploy --fail-level WARNING

export DJANGO_SETTINGS_MODULE=bcc.settings.testing
printf '── migrations\n'
"$python" manage.py makemigrations --check --dry-run
printf '── tables in docs/erd.md\n'
"$python" manage.py erd --check
printf '── OpenAPI\n'
"$python" manage.py spectacular --validate --fail-on-warn --file "$scratch/openapi.yaml"
