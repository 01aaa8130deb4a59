"""The staff groups and exactly what each may do: one table, brought to the database by migrate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.core.exceptions import ImproperlyConfigured

from bcc.core import transactions


def _may(verbs: str, app: str, *models: str) -> frozenset[str]:
    """("view change", "accounts", "member") → {"accounts.view_member", "accounts.change_member"}."""
    return frozenset(f"{app}.{verb}_{model}" for verb in verbs.split() for model in models)


_EDIT: Final = "view add change delete"
_PEOPLE: Final = ("membership", "member", "membershipcategory", "privilegehold")
_GROUND: Final = (
    "space",
    "facility",
    "facilityspace",
    "facilityimage",
    "openingperiod",
    "openingspan",
    "closure",
    "holiday",
    "primetime",
    "reservationpolicy",
    "policyversion",
    "quotarule",
    "strikerule",
    "rate",
)
_CONTENT: Final = ("announcement", "event", "contact", "faq", "clubrule", "outlet", "promo")
_BOOKINGS: Final = (
    "reservation",
    "participant",
    "reservationevent",
    "guest",
    "slotclaim",
    "strike",
    "chargeline",
)
_PAPERS: Final = ("document", "documentaccess", "statementsummary", "accountentry", "assessment")
_OUTBOX: Final = ("notification", "messagetemplate", "smsuse")
_ISSUING: Final = ("accountimport",)
_PRIVACY: Final = ("privacynotice", "deletionrequest", "recordread", "memberview")
_IMAGES: Final = ("image",)
_ACCESS: Final = ("user", "device", "session")

_BATCHES: Final = ("importbatch", "importitem", "period")
_READING: Final = ("kindrule", "filenamepattern", "pageregion")

ROLES: Final[Mapping[str, frozenset[str]]] = {
    "Front Desk": frozenset({"reservations.work_the_desk", "reservations.book_for_members"})
    | frozenset({"chat.serve_desks"})
    | _may(_EDIT, "chat", "cannedreply")
    | _may("view", "chat", "desk", "deskspan", "connection")
    | _may("view", "metrics", "occupancy")
    | _may("view", "reservations", *_BOOKINGS)
    | _may("view add change", "reservations", "reservation", "participant", "guest")
    | _may("view", "facilities", *_GROUND, *_CONTENT)
    | _may("view", "documents", *_IMAGES)
    | _may("view", "accounts", *_PEOPLE),
    "Facilities": frozenset({"reservations.close_facilities", "reservations.work_the_desk"})
    | frozenset({"reservations.book_for_members", "reservations.waive_cost"})
    | _may("view", "metrics", "occupancy")
    | _may(_EDIT, "facilities", *_GROUND, *_CONTENT)
    | _may(_EDIT, "documents", *_IMAGES)
    | _may("view", "reservations", *_BOOKINGS)
    | _may("view", "accounts", *_PEOPLE),
    "Membership": _may("view add change", "accounts", *_PEOPLE)
    | frozenset({"chat.serve_desks", "chat.broadcast"})
    | _may(_EDIT, "chat", "desk", "deskspan", "cannedreply")
    | _may("view add", "accounts", *_ISSUING)
    | _may("view", "accounts", *_PRIVACY)
    | _may("add", "accounts", "privacynotice")
    | _may("change", "accounts", "deletionrequest")
    | _may("view add change", "accounts", "staffmessage")
    | frozenset({"accounts.view_as_member"})
    | _may("view", "accounts", "user", "notification", "smsuse")
    | _may(_EDIT, "accounts", "messagetemplate")
    | _may(_EDIT, "facilities", *_CONTENT)
    | _may(_EDIT, "documents", *_IMAGES)
    | _may("view", "reservations", "reservation", "strike"),
    "Finance Uploader": _may("view", "accounts", "membership", "member", "membershipcategory")
    | _may("view", "reservations", "chargeline")
    | frozenset({"documents.upload_batch", "documents.read_document"})
    | _may("view", "documents", *_BATCHES, *_READING, *_PAPERS)
    | _may(_EDIT, "documents", "filenamepattern", "pageregion"),
    "Finance Approver": _may("view", "accounts", "membership", "member", "membershipcategory")
    | _may("view", "reservations", "reservation", "chargeline")
    | frozenset({"reservations.waive_cost"})
    | frozenset({"documents.approve_batch", "documents.read_document", "documents.withdraw_document"})
    | _may("view", "documents", *_BATCHES, *_READING, *_PAPERS)
    | _may("change", "documents", "kindrule"),
    "Moderator": _may("view", "accounts", "member")
    | frozenset({"chat.moderate"})
    | _may("view", "chat", "messagereport", "heldmessage")
    | _may(_EDIT, "chat", "heldword")
    | _may("view change", "chat", "chatsettings")
    | _may("view add change", "accounts", "privilegehold")
    | _may(_EDIT, "documents", *_IMAGES)
    | _may(_EDIT, "facilities", *_CONTENT),
    "Ops": _may("view change", "accounts", *_ACCESS)
    | _may("view", "accounts", *_PEOPLE, *_OUTBOX)
    | _may("view", "documents", *_IMAGES)
    | _may("view", "facilities", *_GROUND, *_CONTENT)
    | _may("view", "reservations", *_BOOKINGS)
    | _may("view change", "django_celery_beat", "periodictask")
    | _may("view", "metrics", "occupancy", "activity")
    | _may("view change", "metrics", "jobrun")
    | _may("view delete", "chat", "connection")
    | _may("view", "chat", "desk", "chatsettings")
    | _may(_EDIT, "chat", "retentionrule")
    | _may("view", "auditlog", "logentry"),
    "Auditor": _may("view", "accounts", *_PEOPLE, *_OUTBOX, *_ACCESS, *_ISSUING, *_PRIVACY, "staffmessage")
    | _may("view", "chat", "staffreading", "messagereport", "retentionrule", "chatsettings", "heldword")
    | _may("view", "metrics", "occupancy", "activity", "jobrun")
    | _may("view", "documents", *_BATCHES, *_READING, *_PAPERS)
    | _may("view", "documents", *_IMAGES)
    | _may("view", "facilities", *_GROUND, *_CONTENT)
    | _may("view", "reservations", *_BOOKINGS)
    | _may("view", "auditlog", "logentry"),
}


@transactions.writes
def sync_roles() -> None:
    """Make each group of ROLES and set its permissions exactly. Other groups are the club's own.

    Permissions of apps that are not installed are skipped. Raises ImproperlyConfigured for one that
    an installed app does not have: a role that silently lacks something is found on a busy morning.
    """
    known = _known_permissions({name for wanted in ROLES.values() for name in wanted})
    groups = {group.name: group for group in Group.objects.filter(name__in=ROLES)}
    held: dict[int, set[int]] = {group.pk: set() for group in groups.values()}
    through = Group.permissions.through.objects.filter(group__in=held)
    for group_id, permission_id in through.values_list("group_id", "permission_id"):
        held[group_id].add(permission_id)
    for name, wanted in ROLES.items():
        group = groups.get(name) or Group.objects.create(name=name)
        ids = {known[one] for one in wanted if one in known}
        if held.get(group.pk, set()) != ids:
            group.permissions.set(ids)


def _known_permissions(names: Iterable[str]) -> dict[str, int]:
    labels = {config.label for config in apps.get_app_configs()}
    wanted = {name for name in names if name.partition(".")[0] in labels}
    rows = Permission.objects.filter(content_type__app_label__in={name.partition(".")[0] for name in wanted})
    found = {
        f"{app}.{code}": pk for pk, app, code in rows.values_list("pk", "content_type__app_label", "codename")
    }
    missing = sorted(wanted - found.keys())
    if missing:
        raise ImproperlyConfigured(f"No installed app has these permissions of ROLES: {', '.join(missing)}.")
    return {name: found[name] for name in wanted}
