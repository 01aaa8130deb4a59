"""Which queue a task goes to, and that somebody takes it from there."""

from __future__ import annotations

import re

import pytest
from celery import Celery
from celery.exceptions import QueueNotFound
from django.conf import settings

from bcc import celery
from bcc.management.commands.serve import make_worker
from tests.bcc.conftest import ROOT
from tests.bcc.test_deploy import compose

OURS = ("accounts", "chat", "core", "documents", "facilities", "metrics", "reservations")
CALLED = re.compile(r'(?:enqueue\(\s*|_TASK(?:: Final)? = )"([a-z_.]+)"')


@pytest.fixture(scope="module")
def app() -> Celery:
    """The queue's application with every app's tasks."""
    celery.app.autodiscover_tasks(force=True)
    return celery.app


def queue_of(app: Celery, task: str) -> str:
    name: str = app.amqp.router.route({}, task)["queue"].name
    return name


def consumed() -> dict[str, list[str]]:
    """The queues that each worker of docker-compose.yml takes from, by its service."""
    found: dict[str, list[str]] = {}
    for name, service in compose().items():
        words = service.get("command") or []
        if isinstance(words, list) and "worker" in words:
            found[name] = words[words.index("--queues") + 1].split(",")
    return found


def registered(app: Celery) -> list[str]:
    return sorted(name for name in app.tasks if name.partition(".")[0] in OURS)


class TestRoutes:
    def test_lead_each_task_to_a_worker_of_the_composition(self, app: Celery) -> None:
        taken = {queue for queues in consumed().values() for queue in queues}
        tasks = registered(app)
        assert len(tasks) > 10
        assert {task: queue_of(app, task) for task in tasks if queue_of(app, task) not in taken} == {}

    @pytest.mark.parametrize(
        ("task", "queue"),
        [
            ("reservations.expire_due", "bcc"),
            ("reservations.apply_standings", "bcc"),
            ("accounts.send_notification", "mail"),
            ("accounts.send_notifications", "mail"),
            ("accounts.send_due_notifications", "mail"),
            ("accounts.purge_expired", "batch"),
            ("core.purge_idempotency_keys", "batch"),
            ("documents.work_on_batch", "batch"),
            ("accounts.run_imports", "batch"),
            ("chat.apply_retention", "batch"),
            ("chat.tell_of_one", "bcc"),
            ("somebody.elses", "bcc"),
        ],
    )
    def test_keep_apart_what_waits_on_different_things(self, app: Celery, task: str, queue: str) -> None:
        assert queue_of(app, task) == queue

    def test_know_every_task_that_is_called_by_name(self, app: Celery) -> None:
        called = {
            name
            for path in ROOT.rglob("*.py")
            if path.relative_to(ROOT).parts[0] in {*OURS, "bcc"}
            for name in CALLED.findall(path.read_text())
        }
        assert called >= {"accounts.send_notification", "reservations.apply_standings"}
        assert called <= set(registered(app))

    def test_have_an_exchange_each(self, app: Celery) -> None:
        """On one exchange with one key a message would be in all of them."""
        where = {(queue.exchange.name, queue.routing_key) for queue in app.amqp.queues.values()}
        assert len(where) == len(settings.CELERY_TASK_QUEUES)

    def test_refuse_a_queue_that_nobody_declared(self, app: Celery) -> None:
        with pytest.raises(QueueNotFound):
            app.amqp.router.route({"queue": "forgotten"}, "accounts.send_notification")


class TestWorkers:
    def test_of_the_composition_take_every_queue_once(self) -> None:
        taken = sorted(queue for queues in consumed().values() for queue in queues)
        assert taken == sorted(queue.name for queue in settings.CELERY_TASK_QUEUES)

    def test_have_names_of_their_own(self) -> None:
        names = [
            command[command.index("--hostname") + 1]
            for command in (compose()[name]["command"] for name in consumed())
        ]
        assert len(set(names)) == len(names)

    def test_of_the_one_process_takes_all(self, app: Celery, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(app.amqp, "queues", app.amqp.Queues(settings.CELERY_TASK_QUEUES))
        worker = make_worker(app)
        assert set(worker.app.amqp.queues.consume_from) == {
            queue.name for queue in settings.CELERY_TASK_QUEUES
        }
