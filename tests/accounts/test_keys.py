from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Device, User
from accounts.policies.tokens import TokenType
from accounts.services import keys
from accounts.services.identities import identify
from accounts.services.keys import current_keys, forget_keys, rotate_keys
from accounts.services.sessions import open_session
from accounts.services.tokens import TokenInvalidError, read_token
from bcc import health


@pytest.fixture(autouse=True)
def key_file(settings: Any, tmp_path: Path) -> Iterator[Path]:
    settings.JWT_KEYS_FILE = tmp_path / "jwt-keys.json"
    forget_keys()
    yield settings.JWT_KEYS_FILE
    forget_keys()


class TestRotateKeys:
    def test_the_new_one_signs_and_the_one_before_is_accepted_and_no_older_one(
        self, user: User, trusted: Device, now: datetime
    ) -> None:
        first = open_session(user=user, device=trusted, now=now)
        rotate_keys(now=now)
        second = open_session(user=user, device=trusted, now=now)
        assert identify(token=first.access, now=now).user_id == user.pk
        rotate_keys(now=now + timedelta(days=90))
        assert read_token(second.access, type=TokenType.ACCESS, now=now)
        with pytest.raises(TokenInvalidError):
            read_token(first.access, type=TokenType.ACCESS, now=now)
        assert len(current_keys()) == 2

    def test_is_for_its_owner_only(self, key_file: Path, now: datetime) -> None:
        rotate_keys(now=now)
        assert key_file.stat().st_mode & 0o777 == 0o600

    def test_another_process_follows_at_the_first_token_of_the_new_key(
        self, user: User, trusted: Device, now: datetime
    ) -> None:
        before = current_keys()
        rotate_keys(now=now)
        tokens = open_session(user=user, device=trusted, now=now)
        # What a process has in memory that looked a moment ago.
        keys._seen = (keys.time.monotonic() + 1000, None, before)
        assert read_token(tokens.access, type=TokenType.ACCESS, now=now).user == user.public_id

    def test_an_unknown_key_stays_unknown(
        self, user: User, trusted: Device, now: datetime, key_file: Path
    ) -> None:
        tokens = open_session(user=user, device=trusted, now=now)
        rows = [{"kid": "other", "key": "k" * 64, "made_at": None}]
        key_file.write_text(json.dumps(rows))
        forget_keys()
        with pytest.raises(TokenInvalidError):
            read_token(tokens.access, type=TokenType.ACCESS, now=now)


class TestCommand:
    def test_lists_without_changing_and_then_rotates(
        self, key_file: Path, capsys: pytest.CaptureFixture[str], travel: Any
    ) -> None:
        call_command("rotate_keys", "--dry-run")
        assert not key_file.exists()
        assert "of unknown age, signs" in capsys.readouterr().out
        call_command("rotate_keys")
        said = capsys.readouterr().out.splitlines()
        assert [line.rpartition(", ")[2] for line in said] == ["signs", "accepted still"]
        assert json.loads(key_file.read_text())[0]["key"] not in "".join(said)

    def test_says_where_it_cannot_write(self, settings: Any, tmp_path: Path) -> None:
        settings.JWT_KEYS_FILE = tmp_path / "nowhere" / "keys.json"
        with pytest.raises(CommandError, match="cannot be written"):
            call_command("rotate_keys")


class TestDoctor:
    def test_tells_the_age_and_asks_for_a_rotation(self, settings: Any, key_file: Path) -> None:
        assert "not known" in health.check_signing_keys().detail
        rotate_keys(now=datetime.now(health.UTC) - timedelta(days=181))
        found = health.check_signing_keys()
        assert (found.is_well, "181 days" in found.detail) == (False, True)
        assert "rotate_keys" in found.fix
        settings.JWT_KEY_MAX_AGE_DAYS = 0
        assert health.check_signing_keys().is_well
        key_file.write_text("{")
        forget_keys()
        assert not health.check_signing_keys().is_well
