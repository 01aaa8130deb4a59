"""A policy's versions: a draft is made, edited and published; what is published is never changed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from bcc.core import clock, transactions
from bcc.core.actors import Actor
from bcc.core.errors import ConflictError, NotFoundError, StaleVersionError
from facilities.models import PolicyVersion, PublishedVersionError, ReservationPolicy, Rulebook
from facilities.policies.terms import Terms
from facilities.services.fit import require_terms_fit

TERMS: Final = tuple(field.name for field in fields(Terms))


class DraftExistsError(ConflictError):
    """The policy has a draft already."""

    code = "draft_exists"
    default_detail = _("There is a draft of the next version already. Edit, publish or discard that one.")


class StaleDraftError(StaleVersionError):
    """The draft says something else than when it was looked at."""

    default_detail = _("The draft was changed in the meantime. Look at what it says now, and decide again.")


def mark_of(terms: Terms) -> str:
    """Another one for other terms: a page carries it, so that nobody publishes what they did not see."""
    return hashlib.sha256(repr(terms).encode()).hexdigest()[:16]


@transactions.writes
def new_policy_version(*, policy: ReservationPolicy) -> PolicyVersion:
    """Make the draft of the next version: a copy of the latest, or the usual terms if it is the first.

    Raises DraftExistsError.
    """
    Rulebook.turn_page()  # and hold it: two who press the button at once make one draft
    latest = PolicyVersion.objects.filter(policy=policy).order_by("-number").first()
    if latest is not None and not latest.is_published:
        raise DraftExistsError
    terms = {} if latest is None else {name: getattr(latest, name) for name in TERMS}
    return PolicyVersion.objects.create(
        policy=policy, number=1 if latest is None else latest.number + 1, **terms
    )


@transactions.writes
def edit_draft(
    *, version: PolicyVersion, changes: Mapping[str, Any], seen: str | None = None
) -> PolicyVersion:
    """Set terms of a draft. ``changes`` are by the names of ``Terms``; ``seen`` is the mark of the terms
    that were looked at.

    Raises PublishedVersionError, Django's ValidationError naming the fields, NotFoundError if it was
    discarded meanwhile, StaleDraftError if ``seen`` is not what it says, and KeyError for a name that is
    no term.
    """
    if unknown := changes.keys() - set(TERMS):
        raise KeyError(*sorted(unknown))
    draft = _locked_draft(version, seen)
    for name, value in changes.items():
        setattr(draft, name, value)
    draft.full_clean()
    draft.save(update_fields=list(changes))
    return draft


@transactions.writes
def publish_policy_version(
    *, version: PolicyVersion, by: Actor, now: datetime, seen: str | None = None
) -> PolicyVersion:
    """Put a draft in force for bookings made from now on; those made keep the version they have.

    ``seen`` is the mark of the terms that were looked at; StaleDraftError if the draft says otherwise.

    Raises PublishedVersionError if it is in force already, MisfitError if its slots or buffers do not
    fall on the cells of a space, Django's ValidationError, and NotFoundError if it was discarded.
    """
    draft = _locked_draft(version, seen)
    draft.full_clean()
    require_terms_fit(draft.policy, draft.terms, on=clock.local_date(now))
    draft.published_at = now
    draft.published_by = by.name[:150]
    # By save(), which the audit log sees; the rulebook's row is locked, so nobody is between.
    draft.save(update_fields=["published_at", "published_by"])
    return draft


@transactions.writes
def discard_draft(*, version: PolicyVersion) -> None:
    """Delete a draft. Raises PublishedVersionError, and NotFoundError if it is gone."""
    _locked_draft(version).delete()


def _locked_draft(version: PolicyVersion, seen: str | None = None) -> PolicyVersion:
    """The row as it is now, and nobody else's to change until the transaction ends."""
    Rulebook.turn_page()
    draft = PolicyVersion.objects.select_related("policy").filter(pk=version.pk).first()
    if draft is None:
        raise NotFoundError
    if draft.is_published:
        raise PublishedVersionError
    if seen is not None and seen != mark_of(draft.terms):
        raise StaleDraftError
    return draft
