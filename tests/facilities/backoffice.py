"""How the tests of the back office read its pages."""

from __future__ import annotations

from typing import Any

from django.test import Client


def page(model: str, at: str = "") -> str:
    return f"/admin/facilities/{model}/{at}"


def faults(response: Any) -> dict[str, Any]:
    assert response.status_code == 200, response.content
    return dict(response.context["adminform"].form.errors)


def titles(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [row.title for row in response.context["cl"].result_list]


def act(client: Client, model: str, action: str, rows: list[Any]) -> str:
    body = {"action": action, "_selected_action": [row.pk for row in rows]}
    text: str = client.post(page(model), body, follow=True).content.decode()
    return text
