"""``python -m benchmarks.signin``: what signing in costs, and what a storm of it does to everybody else.

Hashes and token checks are measured in this process, in CPU time; the storm against the real server in one
of its own, with the load on the other core. Ratios count, not the rates of one machine.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import secrets
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import httpx
from argon2.low_level import Type, hash_secret

from benchmarks.api.cpu import model_name

ROOT: Final = Path(__file__).resolve().parents[2]
# name → (memory in KiB, passes, lanes)
SETTINGS: Final = {
    "here: 19 MiB, t=2, p=1": (19 * 1024, 2, 1),
    "npm argon2's default: 64 MiB, t=3, p=4": (64 * 1024, 3, 4),
    "Django's default: 100 MiB, t=2, p=8": (102_400, 2, 8),
}
READERS: Final = 2
UNLIMITED: Final = (
    "RATE_READS",
    "RATE_LOGIN_IDENTIFIER",
    "RATE_LOGIN_EVERYWHERE",
    "RATE_LOGIN_ADDRESS",
    "RATE_LOGIN_EVERYBODY",
)


def cpu_of(work: Callable[[], object], times: int) -> float:
    """CPU seconds of one call, threads and all; the median of ``times``."""
    took = []
    for _ in range(times):
        began = time.process_time()
        work()
        took.append(time.process_time() - began)
    return statistics.median(took)


def hashes(rounds: int) -> dict[str, float]:
    def one(memory: int, passes: int, lanes: int) -> Callable[[], object]:
        salt = secrets.token_bytes(16)
        return lambda: hash_secret(
            b"a phrase that nobody else uses", salt, passes, memory, lanes, 32, Type.ID
        )

    return {name: cpu_of(one(*setting), rounds) for name, setting in SETTINGS.items()}


def token_checks(rounds: int) -> tuple[dict[str, float], str]:
    """Seconds of a check of a token that was seen a moment ago, and of one that was not; and a token."""
    import django

    django.setup()
    from django.core.management import call_command

    from accounts.models import Device, User
    from accounts.services import identities
    from accounts.services.sessions import open_session
    from bcc.core import clock

    call_command("migrate", verbosity=0)
    user = User.objects.create_user("bench", None)
    device = Device.objects.create(user=user, trusted_at=clock.now(), last_seen_at=clock.now())
    token = open_session(user=user, device=device, now=clock.now()).access
    now = clock.now()
    identities.identify(token=token, now=now)
    began = time.perf_counter()
    for _ in range(rounds):
        identities.identify(token=token, now=now)
    warm = (time.perf_counter() - began) / rounds
    cold = []
    for _ in range(300):
        identities.forget_identities()
        began = time.perf_counter()
        identities.identify(token=token, now=now)
        cold.append(time.perf_counter() - began)
    return {"warm": warm, "cold": statistics.median(cold)}, token


def p99_of(url: str, token: str, seconds: float, storm: bool) -> dict[str, Any]:
    """The latencies of members' reads, with or without a storm of sign-ins beside them."""
    stop = threading.Event()
    took: list[float] = []
    signed: list[int] = []

    def read() -> None:
        with httpx.Client(base_url=url, timeout=30, headers={"Authorization": f"Bearer {token}"}) as client:
            while not stop.is_set():
                began = time.perf_counter()
                assert client.get("/api/v1/me/notifications").status_code == 200
                took.append(time.perf_counter() - began)
                time.sleep(0.01)

    def sign_in(number: int) -> None:
        body = {"password": "wrong", "device": {"platform": "ios"}}
        with httpx.Client(base_url=url, timeout=60) as client:
            while not stop.is_set():
                reply = client.post("/api/v1/auth/login", json=body | {"identifier": secrets.token_hex(8)})
                signed.append(reply.status_code)

    threads = [threading.Thread(target=read) for _ in range(READERS)]
    if storm:
        threads += [threading.Thread(target=sign_in, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(seconds)
    stop.set()
    for thread in threads:
        thread.join()
    ordered = sorted(took)
    return {
        "p50": 1000 * statistics.median(ordered),
        "p99": 1000 * ordered[int(len(ordered) * 0.99)],
        "reads": len(ordered),
        "sign_ins_a_second": len(signed) / seconds,
        "refused_otherwise": sum(status != 401 for status in signed),
    }


def served(environment: dict[str, str]) -> tuple[subprocess.Popen[bytes], str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "manage.py", "serve", "--port", str(port), "--no-scheduler", "--no-worker"]
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{port}"
    for _ in range(300):
        try:
            httpx.get(f"{url}/health/live", timeout=1)
            return process, url
        except httpx.HTTPError:
            time.sleep(0.1)
    process.terminate()
    raise SystemExit("The server does not answer.")


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.signin", description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0, help="of each calm and each storm")
    parser.add_argument("--rounds", type=int, default=3, help="calm and storm, one after the other")
    parser.add_argument("--no-save", action="store_true", help="print only")
    asked = parser.parse_args()
    logging.getLogger("httpx").setLevel(logging.WARNING)  # a line for each request would be a part of it
    with tempfile.TemporaryDirectory(prefix="bcc-bench-") as folder:
        os.environ |= {"DJANGO_SETTINGS_MODULE": "bcc.settings.development", "DATA_DIR": folder}
        os.environ |= dict.fromkeys(UNLIMITED, "100000000/m")
        found: dict[str, Any] = {"hash_cpu_seconds": hashes(15)}
        found["token_check_seconds"], token = token_checks(200_000)
        process, url = served(dict(os.environ))
        try:
            p99_of(url, token, 2, storm=False)
            rounds = [
                {name: p99_of(url, token, asked.seconds, storm=name == "storm") for name in ("calm", "storm")}
                for _ in range(asked.rounds)
            ]
        finally:
            process.terminate()
            process.wait(30)
    found["rounds"] = rounds
    tell(found)
    if not asked.no_save:
        target = Path(__file__).parent / "results" / f"{datetime.now(tz=UTC):%Y-%m-%d}.json"
        target.parent.mkdir(exist_ok=True)
        target.write_text(json.dumps({"machine": model_name(), **found}, indent=1) + "\n")
        print(target)


def tell(found: dict[str, Any]) -> None:
    here = next(iter(found["hash_cpu_seconds"].values()))
    print("| setting | CPU a hash | sign-ins a second and core | ratio |\n|---|---|---|---|")
    for name, seconds in found["hash_cpu_seconds"].items():
        print(f"| {name} | {1000 * seconds:.1f} ms | {1 / seconds:.1f} | {seconds / here:.2f} |")
    warm, cold = found["token_check_seconds"]["warm"], found["token_check_seconds"]["cold"]
    print(f"\ntoken check: {1e6 * warm:.2f} µs seen before, {1e6 * cold:.0f} µs cold ({cold / warm:.0f}×)")
    ratios = []
    for one in found["rounds"]:
        ratios.append(one["storm"]["p99"] / one["calm"]["p99"])
        print(
            f"reads: p99 {one['calm']['p99']:.1f} ms calm, {one['storm']['p99']:.1f} ms at "
            f"{one['storm']['sign_ins_a_second']:.1f} sign-ins a second: {ratios[-1]:.2f}×"
        )
    print(f"p99 in a storm against its calm value: {statistics.median(ratios):.2f}× (median)")


if __name__ == "__main__":
    main()
