"""Sign-in against a running server: crowds with one code or one token, a restart, and the time it takes."""

from __future__ import annotations

import asyncio
import random
import re
import shutil
import statistics
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.live.audit import ask
from tests.live.server import Server, migrated, run_json, serving

pytestmark = [pytest.mark.server, pytest.mark.soak]

API = "/api/v1/"
DEVICE = {"platform": "ios", "name": "Test phone"}
CODE = re.compile(r"\b\d{6}\b")
Said = dict[str, Any]


def made(folder: Path, **env: str) -> tuple[Path, Said]:
    data_dir = migrated(folder)
    return data_dir, run_json(["tests/live/prepare_sign_in.py"], data_dir, **env)


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Said]:
    return made(tmp_path_factory.mktemp("sign-in"))


@pytest.fixture
def club(few: tuple[Path, Said], tmp_path: Path) -> tuple[Path, Said]:
    data_dir = tmp_path / "data"
    shutil.copytree(few[0], data_dir)
    return data_dir, few[1]


def all_at_once(
    server: Server, path: str, bodies: list[Said], *, connections: int = 200
) -> list[httpx.Response]:
    """The replies to all ``bodies``, sent together."""

    async def send() -> list[httpx.Response]:
        limits = httpx.Limits(max_connections=connections, max_keepalive_connections=0)
        # Those who wait for a connection wait as long as it takes: the machine may be busy.
        patience = httpx.Timeout(300, pool=None)
        async with httpx.AsyncClient(
            base_url=f"{server.url}{API}", limits=limits, timeout=patience
        ) as client:
            return list(await asyncio.gather(*(client.post(path, json=body) for body in bodies)))

    return asyncio.run(send())


def challenge_of(server: Server, said: Said) -> str:
    body = {"identifier": said["known"][0], "password": said["password"], "device": DEVICE}
    reply = httpx.post(f"{server.url}{API}auth/login", json=body, timeout=30)
    challenge: str = reply.json()["challenge"]["challenge"]
    return challenge


def code_sent(server: Server, *, beside: int = 0) -> str:
    """The newest code in the demo's outbox, once there are more than ``beside``."""
    outbox = server.data_dir / "outbox.txt"
    until = time.monotonic() + 30
    while time.monotonic() < until:
        codes = CODE.findall(outbox.read_text()) if outbox.exists() else []
        if len(codes) > beside:
            return str(codes[-1])
        time.sleep(0.1)
    raise AssertionError("no code was sent")


def attempts(server: Server) -> int:
    rows = ask(server.database, "SELECT attempts FROM accounts_onetimepassword ORDER BY id DESC")
    return int(str(rows[0][0]))


class TestCrowds:
    def test_one_right_code_two_hundred_times_is_one_session(self, club: tuple[Path, Said]) -> None:
        with serving(club[0], "--no-scheduler") as server:
            challenge = challenge_of(server, club[1])
            body = {"challenge": challenge, "code": code_sent(server)}
            replies = all_at_once(server, "auth/otp/verify", [body] * 200)
        print("right codes:", Counter((one.status_code, one.json().get("code")) for one in replies))
        assert [one.status_code for one in replies].count(200) == 1
        assert {one.status_code for one in replies} == {200, 401}

    def test_of_a_thousand_guesses_five_are_looked_at_and_a_restart_forgets_none(
        self, club: tuple[Path, Said]
    ) -> None:
        with serving(club[0], "--no-scheduler") as server:
            challenge = challenge_of(server, club[1])
            code = code_sent(server)
            first = all_at_once(server, "auth/otp/verify", [{"challenge": challenge, "code": "x"}] * 2)
            assert [one.json()["code"] for one in first] == ["wrong_code"] * 2
            server.stop()
        with serving(club[0], "--no-scheduler") as server:
            assert attempts(server) == 2
            guesses = [{"challenge": challenge, "code": f"x{number}"} for number in range(1000)]
            replies = all_at_once(server, "auth/otp/verify", guesses)
            said = Counter(one.json()["code"] for one in replies)
            print("guesses:", said)
            assert attempts(server) == 5
            # The fifth is told that it is over, like all after it.
            assert said == {"wrong_code": 2, "challenge_over": 998}
            late = all_at_once(server, "auth/otp/verify", [{"challenge": challenge, "code": code}])
            assert late[0].json()["code"] == "challenge_over"

    def test_one_refresh_token_fifty_times_is_one_pair_and_the_family_is_dead(
        self, club: tuple[Path, Said]
    ) -> None:
        with serving(club[0], "--no-scheduler") as server:
            replies = all_at_once(server, "auth/token/refresh", [{"refresh": club[1]["refresh"]}] * 50)
            print("refreshes:", Counter((one.status_code, one.json().get("code")) for one in replies))
            won = [one.json() for one in replies if one.status_code == 200]
            assert len(won) == 1
            again = all_at_once(server, "auth/token/refresh", [{"refresh": won[0]["refresh"]}])
            assert again[0].json()["code"] == "session_ended"
            headers = {"Authorization": f"Bearer {won[0]['access']}"}
            assert httpx.get(f"{server.url}{API}me", headers=headers).status_code == 401


# The soft lock counts from the fourth wrong password of a name on: so many names are asked for in turn.
EACH = 170


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Said]]:
    data_dir, said = made(tmp_path_factory.mktemp("time"), SIGN_IN_MEMBERS=str(EACH))
    with serving(data_dir, "--no-scheduler", "--no-worker") as server:
        yield server, said


class TestTime:
    """Whoever is named, it takes as long: no further apart than the halves of one group may be by chance."""

    TRIES = 500
    SHUFFLES = 2000

    @pytest.mark.parametrize("path", ["auth/login", "auth/otp/request:reset", "auth/otp/request:activation"])
    def test_says_nothing_of_who_there_is(self, served: tuple[Server, Said], path: str) -> None:
        server, said = served
        route, _colon, purpose = path.partition(":")
        names = {
            "known": said["known"],
            "unknown": [f"ZZ{number:05d}" for number in range(EACH)],
            "suspended": said["suspended"],
        }
        order = [(group, names[group][number % EACH]) for group in names for number in range(self.TRIES)]
        random.Random(1).shuffle(order)
        took: dict[str, list[float]] = {group: [] for group in names}
        shapes: dict[str, set[tuple[Any, ...]]] = {group: set() for group in names}
        with httpx.Client(base_url=f"{server.url}{API}", timeout=30) as client:
            for group, name in [order[0], order[1], *order]:
                body: Said = {"identifier": name}
                body |= {"purpose": purpose} if purpose else {"password": "wrong", "device": DEVICE}
                began = time.perf_counter()
                reply = client.post(route, json=body)
                took[group].append(1000 * (time.perf_counter() - began))
                shapes[group].add((reply.status_code, frozenset(reply.json()), frozenset(reply.headers)))
        assert len(set().union(*shapes.values())) == 1, shapes
        medians = {group: statistics.median(times) for group, times in took.items()}
        for other in ("unknown", "suspended"):
            apart = abs(medians["known"] - medians[other])
            chance = self._halves(took["known"], took[other])
            halves = self._halves(took["known"][::2], took["known"][1::2])
            print(
                f"{path}: known {medians['known']:.2f} ms, {other} {medians[other]:.2f} ms, "
                f"apart {apart:.3f} ms; halves of one group up to {halves:.3f} ms, "
                f"of both up to {chance:.3f} ms"
            )
            assert apart <= max(chance, halves)

    def _halves(self, one: list[float], other: list[float]) -> float:
        """How far the medians of two random halves are apart in all but one of a thousand shuffles."""
        shuffled, dice = one + other, random.Random(2)
        apart = []
        for _ in range(self.SHUFFLES):
            dice.shuffle(shuffled)
            half = len(shuffled) // 2
            apart.append(abs(statistics.median(shuffled[:half]) - statistics.median(shuffled[half:])))
        return sorted(apart)[-(self.SHUFFLES // 1000)]
