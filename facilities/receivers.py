"""What changes the club's static data without a ``save`` of ours.

Apps do not signal to themselves. The exceptions here are Django's own signals for rows that no model
of ours stands for: the table between content and categories, which ``content.categories.add()``
writes past every ``save`` and queryset. All run in the transaction of the change.
"""

from __future__ import annotations

from typing import Any

from auditlog.registry import auditlog
from django.apps import apps
from django.db.models.signals import m2m_changed, post_delete, post_save

from accounts.models import MembershipCategory
from facilities.models import Content, Rulebook, Space
from facilities.models.rulebook import RuledModel


def connect() -> None:
    """Listen, and let the audit log watch what staff edit. Called once, when the apps are ready."""
    for model in apps.get_app_config("facilities").get_models():
        if issubclass(model, Content):
            m2m_changed.connect(
                turn_page_on_categories,
                sender=model.categories.through,
                dispatch_uid=f"facilities.categories.{model._meta.model_name}",
            )
            auditlog.register(model, exclude_fields=["created_at", "updated_at"], m2m_fields={"categories"})
        elif issubclass(model, Space):
            auditlog.register(model, exclude_fields=["lock_version"])
        elif issubclass(model, RuledModel):
            auditlog.register(model, exclude_fields=["updated_at"])
    # Categories are shown by name beside rates and content, and one that goes takes its readers along.
    for signal in (post_save, post_delete):
        signal.connect(
            turn_page_on_category, sender=MembershipCategory, dispatch_uid="facilities.membership_category"
        )


def turn_page_on_categories(action: str, **kwargs: Any) -> None:
    if action.startswith("post_"):
        Rulebook.turn_page()


def turn_page_on_category(**kwargs: Any) -> None:
    Rulebook.turn_page()
