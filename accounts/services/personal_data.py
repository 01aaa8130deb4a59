"""What the apps keep of one person: to be given out, and to be made nobody's.

Each app adds its own part in ``AppConfig.ready``; accounts knows none above it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Final

from auditlog.models import LogEntry
from django.contrib.admin.models import LogEntry as AdminLogEntry
from django.contrib.auth.hashers import make_password
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.utils.translation import gettext as _

from accounts.models import (
    AccountImportRow,
    ChannelPreference,
    DeletionRequest,
    Device,
    Grant,
    Member,
    MemberView,
    Notification,
    OneTimePassword,
    RecordRead,
    Session,
    User,
)
from accounts.services.household import close_account
from bcc.core import transactions
from bcc.core.errors import WrongStateError

Rows = list[dict[str, Any]]
Part = Callable[[Member], Rows]
Anonymiser = Callable[[Member, datetime], None]

_parts: Final[dict[str, Part]] = {}
_anonymisers: Final[dict[str, Anonymiser]] = {}


class AlreadyAnonymisedError(WrongStateError):
    code = "already_anonymised"


def register_part(name: str, *, export: Part, anonymise: Anonymiser | None = None) -> None:
    """Add what an app keeps of a member under ``name``. Again with the same name takes its place."""
    _parts[name] = export
    if anonymise is not None:
        _anonymisers[name] = anonymise


def export_of(member: Member) -> dict[str, Any]:
    """Everything that the club's apps keep of one member, as plain values, by its kind.

    No password, token or secret is in it, and nothing of other people but what the member wrote.
    """
    user = member.user
    own: dict[str, Any] = {
        "member": _row(
            member,
            [
                "member_no",
                "relation",
                "first_name",
                "last_name",
                "birth_date",
                "can_book",
                "can_view_statements",
            ],
        )
        | {"account_no": member.membership.account_no, "category": str(member.membership.category)},
        "account": None
        if user is None
        else _row(
            user, ["username", "display_name", "email", "mobile", "is_active", "last_login", "date_joined"]
        ),
        "holds": _rows(
            member.holds.order_by("pk"), ["scope", "source", "reason", "starts_at", "until", "lifted_at"]
        ),
        "deletion_requests": _rows(
            member.deletion_requests.order_by("pk"),
            ["reason", "state", "requested_at", "decided_at", "answer"],
        ),
        "looked_at_by_staff": _rows(member.reads.order_by("pk"), ["reader_name", "what", "read_at"]),
    }
    if user is not None:
        own |= {
            "devices": _rows(
                user.devices.order_by("pk"), ["platform", "name", "app_version", "trusted_at", "last_seen_at"]
            ),
            "sessions": _rows(
                user.sessions.order_by("pk"), ["started_at", "expires_at", "ended_at", "end_reason"]
            ),
            "notifications": _rows(
                user.notifications.order_by("pk"),
                ["kind", "channel", "context", "state", "created_at", "read_at"],
            ),
            "choices": _rows(user.channel_preferences.order_by("pk"), ["kind", "channel", "is_wanted"]),
            "accepted_notices": [
                {"version": one.notice.version, "accepted_at": one.accepted_at}
                for one in user.accepted_notices.select_related("notice").order_by("pk")
            ],
        }
    return own | {name: part(member) for name, part in sorted(_parts.items())}


@transactions.writes
def anonymise_member(*, member: Member, now: datetime) -> None:
    """Make a member nobody in particular, for ever: names, addresses, devices, messages and histories of
    changes lose whom they were about; what the statistics count stays.

    The member number stays, because it is never used again, and of the birth date the year. Raises
    AlreadyAnonymisedError.
    """
    if member.anonymised_at is not None:
        raise AlreadyAnonymisedError(_("This member was made anonymous before. Nothing is left to do."))
    user = member.user
    nobody = _("Former member")
    if user is not None:
        close_account(user=user, now=now)
        _forget_account(user)
        user.display_name, user.email, user.mobile = nobody, "", ""
        user.password = make_password(None)
        user.save(update_fields=["display_name", "email", "mobile", "password"])
    member.first_name, member.last_name, member.anonymised_at = nobody, member.member_no, now
    if member.birth_date is not None:
        member.birth_date = member.birth_date.replace(month=1, day=1)
    member.save(update_fields=["first_name", "last_name", "anonymised_at", "birth_date"])
    member.holds.update(reason="")
    member.deletion_requests.update(reason="")
    AccountImportRow.objects.filter(member=member).update(values={}, reasons=[])
    for anonymise in _anonymisers.values():
        anonymise(member, now)
    # Last: the changes above are in the history themselves, with what stood there before.
    forget_history([member, *([user] if user else []), *member.holds.all(), *member.deletion_requests.all()])


def _forget_account(user: User) -> None:
    Notification.objects.filter(user=user).delete()
    OneTimePassword.objects.filter(user=user).delete()
    Grant.objects.filter(user=user).delete()
    Session.objects.filter(user=user).delete()
    Device.objects.filter(user=user).delete()
    ChannelPreference.objects.filter(user=user).delete()


def forget_history(rows: Iterable[models.Model]) -> None:
    """Empty what the audit log and the admin's own history keep of ``rows``; that something changed, when
    and by whom stays."""
    for row in rows:
        kind = ContentType.objects.get_for_model(row)
        LogEntry.objects.filter(content_type=kind, object_pk=str(row.pk)).update(
            object_repr="", changes={}, changes_text=""
        )
        AdminLogEntry.objects.filter(content_type=kind, object_id=str(row.pk)).update(
            object_repr="", change_message=""
        )


def counts_of(member: Member) -> dict[str, int]:
    """How many rows of each kind ``anonymise_member`` would empty or delete; for a dry run."""
    user = member.user
    found = {"holds": member.holds.count(), "reads": RecordRead.objects.about(member.pk).count()}
    if user is not None:
        found |= {
            "devices": user.devices.count(),
            "sessions": user.sessions.count(),
            "notifications": user.notifications.count(),
        }
    return found | {
        "views": MemberView.objects.filter(member=member).count(),
        "requests": DeletionRequest.objects.filter(member=member).count(),
    }


def _rows(rows: Iterable[Any], names: list[str]) -> Rows:
    return [_row(one, names) for one in rows]


def _row(one: Any, names: list[str]) -> dict[str, Any]:
    return {name: _plain(getattr(one, name)) for name in names}


def _plain(value: Any) -> Any:
    is_plain = value is None or isinstance(value, str | int | float | bool | dict | list | datetime)
    return value if is_plain or hasattr(value, "isoformat") else str(value)
