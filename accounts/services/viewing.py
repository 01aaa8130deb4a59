"""Seeing the app as a member sees it: for a reason, for a quarter of an hour, and without a way to write."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.utils.translation import gettext as _

from accounts.models import Member, MemberView, RecordRead, User
from accounts.policies.identity import Identity
from accounts.services.privacy import note_read
from bcc.core import transactions
from bcc.core.actors import Actor
from bcc.core.errors import NotFoundError, WrongStateError

LASTS: Final = timedelta(minutes=15)


@transactions.writes
def start_view(*, member: Member, viewer: User, reason: str, now: datetime) -> MemberView:
    """Begin to see as ``member``; whoever sees as another stops it. The member finds it in their access log.

    Raises WrongStateError for a member without an account, or of the staff.
    """
    if member.user is None or member.user.is_staff or member.user.is_superuser:
        raise WrongStateError(_("This member has no account of a member. Choose another one."))
    MemberView.objects.open(now).filter(viewer=viewer).update(ended_at=now)
    view = MemberView.objects.create(
        member=member, viewer=viewer, reason=reason[:300], started_at=now, expires_at=now + LASTS
    )
    by = Actor("staff", str(viewer), viewer.pk)
    note_read(member=member, by=by, what=RecordRead.What.AS_MEMBER, detail=reason, now=now)
    return view


def find_view(*, public_id: UUID, viewer_id: int, now: datetime) -> MemberView:
    """The open view of that id that is this viewer's own. Raises NotFoundError."""
    views = MemberView.objects.open(now).select_related("member__user", "member__membership")
    view = views.filter(public_id=public_id, viewer_id=viewer_id).first()
    if view is None:
        raise NotFoundError
    return view


@transactions.writes
def end_view(*, view: MemberView, now: datetime) -> None:
    """Stop before the time; again changes nothing."""
    MemberView.objects.open(now).filter(pk=view.pk).update(ended_at=now)


def identity_of(view: MemberView) -> Identity:
    """What the member's own token would stand for; it is no session, and no token is ever made of it."""
    member, user = view.member, view.member.user
    if user is None:
        raise NotFoundError
    return Identity(
        user_id=user.pk,
        public_id=user.public_id,
        username=user.username,
        display_name=user.display_name,
        is_staff=False,
        is_active=True,
        session_id=view.public_id,
        member_id=member.pk,
        member_public_id=member.public_id,
        membership_id=member.membership_id,
    )
