"""The services of docker-compose.yml as processes, on PostgreSQL and Redis, behind nginx."""

from __future__ import annotations

import hashlib
import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx
import pytest

from tests.live.app import App, hear, hear_until
from tests.live.audit import find_wrongs
from tests.live.engines import postgres_url, scratch_database, scratch_redis
from tests.live.processes import PYTHON_SERVICES, WORKERS, Processes, composed, processes
from tests.live.server import ROOT, Server, run_json, run_script
from tests.tables import tables_on_postgres

pytestmark = pytest.mark.server

EVERYTHING = (*PYTHON_SERVICES, "proxy")
PATIENCE_SECONDS = 240


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str, dict[str, Any]]]:
    """The demo club on PostgreSQL, and a court and a member of the tests' own beside it."""
    data_dir = tmp_path_factory.mktemp("processes")
    with scratch_database(tables_on_postgres(postgres_url())) as database:
        run_script(["manage.py", "demo", "--days", "0"], data_dir, DATABASE_URL=database)
        yield data_dir, database, run_json(["tests/live/prepare_socket.py"], data_dir, DATABASE_URL=database)


@pytest.fixture(scope="module")
def club(made: tuple[Path, str, dict[str, Any]]) -> Iterator[Processes]:
    with (
        scratch_redis() as redis,
        processes(made[0], database=made[1], redis=redis, names=EVERYTHING) as running,
    ):
        yield running


@pytest.fixture
def app(club: Processes, made: tuple[Path, str, dict[str, Any]]) -> Iterator[App]:
    server = Server(club.proxy, club.data_dir, club.running["web"].log, club.running["web"].process)
    phone = App(server, made[2], trust=club.trust())
    phone.sign_in()
    yield phone
    phone.http.close()


@pytest.fixture
def browser(club: Processes) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=club.proxy, verify=club.trust(), timeout=30) as client:
        yield client


@pytest.fixture(scope="module")
def alone(made: tuple[Path, str, dict[str, Any]], club: Processes) -> Iterator[Processes]:
    """A web service of the same club whose Redis nobody answers at."""
    with processes(made[0], database=made[1], redis="redis://127.0.0.1:1/0", names=("web",)) as running:
        yield running


@pytest.fixture(scope="module")
def papers(club: Processes, made: tuple[Path, str, dict[str, Any]]) -> Any:
    """What the phone's member has to read, and a stranger."""
    return run_json(
        ["tests/live/prepare_files.py", made[2]["member_no"]], club.data_dir, DATABASE_URL=club.database
    )


class TestTogether:
    def test_a_member_finds_the_way_through_all_of_them(self, club: Processes) -> None:
        done = subprocess.run(
            [
                *(sys.executable, "-m", "tests.live.journey", "--hurry", "--url", club.proxy),
                *("--data-dir", str(club.data_dir), "--chapter", "booking", "--chapter", "hold"),
            ],
            cwd=ROOT,
            env={**club.env, "SSL_CERT_FILE": str(club.certificate)},
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        print(done.stdout)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "refused: quota_exceeded" in done.stdout
        assert "the scheduler expired it" in done.stdout
        assert not find_wrongs(club.database)

    def test_what_is_booked_in_one_is_heard_at_the_socket_of_another(self, club: Processes, app: App) -> None:
        ticket = app.ticket()
        with app.socket(f"?ticket={ticket}") as socket:
            assert hear(socket)["type"] == "welcome"
            booked = app.book(16)
            assert hear_until(socket, "reservation.changed")["reservation"] == booked["id"]
        logs = "".join(path.read_text() for path in club.data_dir.rglob("*.log"))
        assert '"path":"/ws/v1"' in logs
        assert ticket not in logs
        assert app.token not in logs

    def test_are_all_well(self, browser: httpx.Client, club: Processes) -> None:
        ready = browser.get("/health/ready")
        assert (ready.status_code, ready.json()["status"]) == (200, "ok")
        said = run_script(
            ["manage.py", "doctor"],
            club.data_dir,
            DATABASE_URL=club.database,
            REDIS_URL=club.env["REDIS_URL"],
        )
        assert "postgresql answers" in said


class TestProxy:
    def test_sends_who_comes_without_tls_to_the_right_door(self, club: Processes) -> None:
        listens = re.search(r"listen (127\S+);", (club.data_dir / "proxy/bcc.conf").read_text())
        assert listens is not None
        answer = httpx.get(f"http://{listens[1]}/api/v1/time", headers={"Host": "localhost"})
        assert (answer.status_code, answer.headers["Location"]) == (308, "https://localhost/api/v1/time")

    def test_keeps_the_metrics_inside(self, browser: httpx.Client) -> None:
        assert browser.get("/metrics").status_code == 404

    def test_tells_the_real_address_whatever_a_client_claims(
        self, club: Processes, browser: httpx.Client
    ) -> None:
        """The limit of sign-ins by address counts them: claims to come from elsewhere change nothing."""

        def left_after(client: httpx.Client, number: int) -> int:
            """How many sign-ins are left to the address; each is for somebody else, who has a limit too."""
            answer = client.post(
                "/api/v1/auth/login",
                json={
                    "identifier": f"TM-9{number:04}",
                    "password": "not the password",
                    "device": {"platform": "ios", "name": "A phone"},
                },
                headers={"X-Forwarded-For": f"203.0.113.{number}"},
            )
            found = re.search(r'"login_address";r=(\d+)', answer.headers["RateLimit"])
            assert found is not None
            return int(found[1])

        # Twice, because the limit's minute may end in between.
        through = [[left_after(browser, first + step) for step in range(3)] for first in (10, 20)]
        # Around the proxy each claim is a hop of its own, and a limit of its own.
        with httpx.Client(base_url=club.url, timeout=30) as client:
            around = [left_after(client, number) for number in (4, 5, 6)]

        assert any(one > two > three for one, two, three in through), through
        assert len(set(around)) == 1

    def test_refuses_a_body_that_is_far_too_large(self, browser: httpx.Client) -> None:
        assert browser.post("/api/v1/auth/login", content=b"x" * (5 << 20)).status_code == 413


class TestFiles:
    """Bytes that nginx sends: because the application says so, or because of a link that it checks alone."""

    def content(self, app: App, paper: dict[str, Any], method: str = "GET", **headers: str) -> httpx.Response:
        return app.http.request(method, f"documents/{paper['id']}/content", headers=headers)

    def link(self, app: App, paper: dict[str, Any], seconds: int = 60) -> str:
        made = app.http.post(f"documents/{paper['id']}/link", json={"seconds": seconds})
        assert made.status_code == 200, made.text
        assert made.json()["checked_by"] == ("proxy" if seconds <= 60 else "application")
        # The proxy tells the host alone: members reach it at the usual port.
        parts = urlsplit(made.json()["url"])
        return f"{parts.path}?{parts.query}"

    def test_a_document_comes_from_the_proxy_with_all_that_the_application_says(
        self, app: App, papers: Any
    ) -> None:
        paper = papers["large"]
        answer = self.content(app, paper)
        assert answer.status_code == 200
        assert hashlib.sha256(answer.content).hexdigest() == paper["sha256"]
        told = answer.headers
        assert told["ETag"] == f'"{paper["sha256"][:32]}"'
        assert told["Content-Type"] == "application/pdf"
        assert told["Cache-Control"] == "private, no-store"
        assert told["Accept-Ranges"] == "bytes"
        assert "filename*=UTF-8''Estado%20Pe%C3%B1a%20%E5%B0%8D" in told["Content-Disposition"]
        assert "X-Accel-Redirect" not in told
        assert "Last-Modified" not in told
        # What every answer of the API has: nginx would have dropped all of it.
        other = app.http.get("documents").headers
        for name in (
            "X-Content-Type-Options", "X-Frame-Options", "Content-Security-Policy", "Referrer-Policy",
            "Cross-Origin-Opener-Policy", "RateLimit-Policy", "Vary",
        ):  # fmt: skip
            assert told[name] == other[name], name
        assert told["X-Request-ID"]
        assert told["RateLimit"]

    def test_head_and_parts_are_as_without_the_proxy(self, app: App, papers: Any, club: Processes) -> None:
        paper, tag = papers["large"], f'"{papers["large"]["sha256"][:32]}"'
        size = paper["size"]
        head = self.content(app, paper, "HEAD")
        assert (head.status_code, head.content, head.headers["Content-Length"]) == (200, b"", str(size))
        for headers, status, ranged, length in (
            ({"Range": "bytes=4-7"}, 206, f"bytes 4-7/{size}", 4),
            ({"Range": "bytes=-3"}, 206, f"bytes {size - 3}-{size - 1}/{size}", 3),
            ({"Range": f"bytes={size}-"}, 416, f"bytes */{size}", None),
            ({"Range": "bytes=0-1,4-5"}, 200, None, size),
            ({"Range": "nonsense"}, 200, None, size),
            ({"Range": "bytes=4-7", "If-Range": tag}, 206, f"bytes 4-7/{size}", 4),
            ({"Range": "bytes=4-7", "If-Range": '"other"'}, 200, None, size),
            ({"If-None-Match": tag}, 304, None, 0),
            ({"If-None-Match": '"other"'}, 200, None, size),
            ({"If-Match": '"other"'}, 412, None, None),
            ({"If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"}, 200, None, size),
            ({"If-Unmodified-Since": "Mon, 01 Jan 2001 00:00:00 GMT"}, 200, None, size),
        ):
            for root in (str(app.http.base_url), f"{club.url}/api/v1/"):
                answer = app.http.get(
                    f"{root}documents/{paper['id']}/content",
                    headers={**headers, "X-Forwarded-Proto": "https"},
                )
                if root.startswith(club.url) and "X-Accel-Redirect" in answer.headers:
                    continue  # it leaves that to the proxy
                assert answer.status_code == status, (headers, root)
                assert answer.headers.get("Content-Range") == ranged, (headers, root)
                assert length is None or len(answer.content) == length, (headers, root)

    def test_nobody_reaches_the_folder_itself(self, app: App, browser: httpx.Client, papers: Any) -> None:
        key = papers["small"]["key"]
        for path in (
            f"/_files/{key}", f"/%5ffiles/{key}", f"/files/{key}", f"/files/{key}.pdf", f"/{key}",
            f"/files/../_files/{key}", f"/_files/../_files/{key}", "/_files/", "/files/",
            "/files/..%2f..%2fkeys.json", "/_files/..%2fkeys.json",
            f"/files//{key}.pdf?expires=1&signature=x",
        ):  # fmt: skip
            for client in (browser, app.http):
                answer = client.get(f"{str(browser.base_url).rstrip('/')}{path}")
                # 400 where the path leaves the root: nginx refuses that before it looks for a place.
                assert answer.status_code == (400 if "..%2f..%2f" in path else 404), path
        assert self.content(app, papers["theirs"]).status_code == 404
        assert self.content(app, papers["theirs"], "HEAD").status_code == 404
        assert self.content(app, papers["theirs"], Range="bytes=0-3").status_code == 404

    def test_a_short_link_is_checked_by_the_proxy_alone(
        self, app: App, browser: httpx.Client, papers: Any
    ) -> None:
        paper = papers["large"]
        url = self.link(app, paper)
        answer = browser.get(url)
        assert (answer.status_code, len(answer.content)) == (200, paper["size"])
        assert answer.headers["Content-Type"] == "application/pdf"
        assert answer.headers["ETag"] == f'"{paper["sha256"][:32]}"'
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        name = answer.headers["Content-Disposition"].partition("''")[2]
        assert unquote(name) == "Estado Peña 對帳單 2026-05.pdf"
        part = browser.get(url, headers={"Range": "bytes=0-3", "If-Range": answer.headers["ETag"]})
        assert (part.status_code, part.content) == (206, b"%PDF")
        assert browser.head(url).headers["Content-Length"] == str(paper["size"])
        assert browser.post(url).status_code == 405

    def test_a_short_link_that_was_changed_is_none(
        self, app: App, browser: httpx.Client, papers: Any
    ) -> None:
        url = self.link(app, papers["small"])
        theirs, own = papers["theirs"], papers["small"]
        changed = [
            url.replace(own["key"], theirs["key"]),
            re.sub(r"expires=(\d+)", lambda found: f"expires={int(found[1]) + 60}", url),
            re.sub(r"expires=\d+", "expires=", url),
            re.sub(r"expires=\d+&", "", url),
            url.replace("name=", "name=x"),
            url.replace(".pdf?", ".png?"),
            re.sub(r"signature=.", "signature=", url),
            re.sub(r"&signature=.*", "", url),
            re.sub(r"signature=.*", "signature=,9999999999", url),
            url + "A",
        ]
        for one in changed:
            assert one != url
            answer = browser.get(one)
            assert (answer.status_code, answer.headers["Content-Type"]) == (
                404,
                "application/problem+json",
            ), one
            assert answer.json()["code"] == "not_found"
        assert browser.get(url).status_code == 200

    def test_a_short_link_is_over_when_its_time_is(
        self, app: App, browser: httpx.Client, papers: Any
    ) -> None:
        url = self.link(app, papers["small"], seconds=1)
        until = time.monotonic() + PATIENCE_SECONDS
        while (status := browser.get(url).status_code) == 200 and time.monotonic() < until:
            time.sleep(0.1)
        assert status == 404

    def test_a_longer_link_is_checked_here_and_sent_by_the_proxy(
        self, app: App, browser: httpx.Client, papers: Any
    ) -> None:
        url = self.link(app, papers["large"], seconds=600)
        answer = browser.get(url)
        assert (answer.status_code, len(answer.content)) == (200, papers["large"]["size"])
        assert browser.get(url[:-1] + ("A" if url[-1] != "A" else "B")).status_code == 401
        logs = (app.server.data_dir / "proxy/access.log").read_text()
        assert url.partition("?link=")[2] not in logs
        app.log_out()
        assert browser.get(url).status_code == 401


@pytest.mark.soak
class TestWithoutRedis:
    @pytest.fixture
    def http(self, alone: Processes, app: App) -> Iterator[httpx.Client]:
        """The member, who signed in while Redis was there."""
        with httpx.Client(base_url=f"{alone.url}/api/v1/", timeout=60) as client:
            client.headers["Authorization"] = f"Bearer {app.token}"
            yield client

    def test_reads_and_bookings_work(self, http: httpx.Client, app: App, alone: Processes) -> None:
        for path in ("bootstrap", "facilities", "reservations", "me/notifications"):
            assert http.get(path).status_code == 200, path
        booked = http.post("reservations", json=app.wish(18))
        assert booked.status_code == 201, booked.text
        cancelled = http.post(f"reservations/{booked.json()['id']}/cancel", json={})
        assert cancelled.status_code == 200, cancelled.text
        assert "Internal Server Error" not in alone.running["web"].said()

    def test_whoever_signs_in_is_asked_to_wait(self, http: httpx.Client, app: App) -> None:
        """Without counters nobody may try passwords."""
        refused = http.post("auth/login", json=app.credentials())
        assert (refused.status_code, refused.headers["Content-Type"]) == (503, "application/problem+json")
        assert int(refused.headers["Retry-After"]) >= 1

    def test_it_says_that_it_is_not_ready_and_is_alive(self, alone: Processes) -> None:
        ready = httpx.get(f"{alone.url}/health/ready", timeout=30)
        unwell = {name for name, state in ready.json()["checks"].items() if state != "ok"}
        assert (ready.status_code, unwell) == (503, {"cache", "sockets"})
        assert httpx.get(f"{alone.url}/health/live").status_code == 200


class TestStopping:
    @pytest.mark.soak
    def test_each_ends_in_order_and_says_nothing_of_it(self, made: tuple[Path, str, dict[str, Any]]) -> None:
        with (
            scratch_redis() as redis,
            processes(made[0], database=made[1], redis=redis, names=PYTHON_SERVICES) as running,
        ):
            codes = {name: service.stop(signal.SIGTERM) for name, service in running.running.items()}
            said = {name: running.running[name].said() for name in WORKERS}
        assert codes == dict.fromkeys(PYTHON_SERVICES, 0)
        assert [name for name, text in said.items() if "Warm shutdown" not in text] == []

    def test_a_request_that_is_under_way_is_answered_first(
        self, made: tuple[Path, str, dict[str, Any]]
    ) -> None:
        body = json.dumps({"identifier": "TM-99999", "password": "wrong", "device": {"platform": "ios"}})
        head = (
            "POST /api/v1/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        with (
            scratch_redis() as redis,
            processes(made[0], database=made[1], redis=redis, names=("web",)) as running,
            socket.create_connection(("127.0.0.1", running.ports["web"]), timeout=30) as phone,
            ThreadPoolExecutor(1) as pool,
        ):
            phone.sendall(head.encode() + body[:10].encode())
            time.sleep(1)
            stopped = pool.submit(running.running["web"].stop, signal.SIGTERM)
            time.sleep(1)
            phone.sendall(body[10:].encode())
            assert phone.recv(4096).startswith(b"HTTP/1.1 401")
            assert stopped.result() == 0


class TestComposition:
    def test_names_the_services_that_are_tried_here(self) -> None:
        own = {name for name, service in composed().items() if service.get("image") == "bcc:latest"}
        assert own - {"migrate"} == set(PYTHON_SERVICES)
