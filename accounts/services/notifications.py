"""The outbox: rows written with the change that causes them, sent after its commit."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet, Subquery, Value

from accounts.models import Channel, ChannelPreference, Device, Notification, OneTimePassword, User
from accounts.services.messages import MessageKind, find_kind
from bcc.core import push, transactions
from bcc.core.enqueue import Gathered, enqueue
from bcc.core.errors import NotFoundError
from bcc.core.prepared import Prepared, PreparedInsert

DEFAULT_VALIDITY: Final = timedelta(days=1)
SEND_TASK: Final = "accounts.send_notification"
SEND_EACH_TASK: Final = "accounts.send_notifications"
# By which channels somebody can be told at all, and where their address stands.
_ADDRESSES: Final[Mapping[Channel, str]] = {
    Channel.EMAIL: "email",
    Channel.SMS: "mobile",
    Channel.PUSH: "is_pushed_to",
}
_COLUMNS: Final = ("email", "mobile")


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """One thing to tell one user of, as ``notify`` takes it."""

    user_id: int
    kind: str
    context: Mapping[str, str]
    dedupe: str
    valid_until: datetime | None = None
    link: str = ""
    send_at: datetime | None = None


@transactions.writes
def notify(
    *,
    user_id: int,
    kind: str,
    context: Mapping[str, str],
    dedupe: str,
    now: datetime,
    valid_until: datetime | None = None,
    link: str = "",
    send_at: datetime | None = None,
    only: Channel | None = None,
) -> int:
    """Tell a user something once by each channel that they want; returns the rows written.

    ``dedupe`` names the event (at most 140 characters): the same one again writes nothing. The caller
    holds the lock of what the event is about, so two callers never write one event at once. ``send_at``
    is now unless given; nothing is sent after ``valid_until``, a day after that unless given. One
    query and one insert.

    Raises KeyError for a kind that nobody declared, and ValueError for a context with other fields
    than the kind's.
    """
    news = News(
        user_id=user_id,
        kind=kind,
        context=context,
        dedupe=dedupe,
        valid_until=valid_until,
        link=link,
        send_at=send_at,
    )
    declared = _declared(news)
    candidates = [channel for channel in _sendable(declared) if only in (None, channel)]
    facts = _facts_of(user_id, kind, dedupe, candidates)
    if facts is None:
        return 0
    rows = _rows_of(news, [one for one in candidates if _wanted(declared, one, facts)], now)
    write_outbox(rows, recipient=facts["public_id"], now=now)
    return len(rows)


@transactions.writes
def notify_each(*, kind: str, news: Sequence[News], now: datetime) -> int:
    """What ``notify`` does for each of ``news``, all of one kind: three queries, one insert, and one
    nudge to the senders in all."""
    channels = _sendable(find_kind(kind))
    keys = [_key(one.dedupe, channel) for one in news for channel in channels]
    written = set(Notification.objects.filter(dedupe_key__in=keys).values_list("dedupe_key", flat=True))
    user_ids = {one.user_id for one in news}
    chosen = {
        (user_id, channel): is_wanted
        for user_id, channel, is_wanted in ChannelPreference.objects.filter(
            user_id__in=user_ids, kind=kind
        ).values_list("user_id", "channel", "is_wanted")
    }
    users = User.objects.filter(pk__in=user_ids, is_active=True)
    if Channel.PUSH in channels:
        users = users.annotate(is_pushed_to=_has_push_token())
    else:
        users = users.annotate(is_pushed_to=Value(value=False))
    people = {one["pk"]: one for one in users.values("pk", "public_id", *_ADDRESSES.values())}
    rows: list[Notification] = []
    for one in news:
        person, declared = people.get(one.user_id), _declared(one)
        if person is None:
            continue
        facts: dict[str, Any] = dict(person)
        for channel in channels:
            facts[f"has_{channel}"] = _key(one.dedupe, channel) in written
            facts[f"wants_{channel}"] = chosen.get((one.user_id, channel))
        rows += _rows_of(one, [channel for channel in channels if _wanted(declared, channel, facts)], now)
    _insert(rows, now)
    due = [row for row in rows if row.send_at <= now]
    push.to_each(
        (people[row.user_id]["public_id"], _shown(row)) for row in due if row.channel == Channel.IN_APP
    )
    sent = [str(row.public_id) for row in due if row.channel != Channel.IN_APP]
    if sent:
        enqueue(SEND_EACH_TASK, notifications=sent)
    return len(rows)


def _declared(news: News) -> MessageKind:
    declared = find_kind(news.kind)
    if set(news.context) != set(declared.fields):
        raise ValueError(
            f"{news.kind} takes the fields {sorted(declared.fields)}, not {sorted(news.context)}."
        )
    return declared


def _rows_of(news: News, channels: Iterable[Channel], now: datetime) -> list[Notification]:
    at = news.send_at or now
    return [
        Notification(
            user_id=news.user_id,
            channel=channel,
            kind=news.kind,
            context=dict(news.context),
            link=news.link,
            dedupe_key=_key(news.dedupe, channel),
            created_at=now,
            send_at=at,
            valid_until=news.valid_until or at + DEFAULT_VALIDITY,
        )
        for channel in channels
    ]


def write_outbox(rows: list[Notification], *, recipient: UUID, now: datetime) -> None:
    """Insert ``rows`` of one user inside the caller's transaction, and nudge the senders after it.

    What is shown in the app is sent by being shown, so it is SENT at once if its time has come.
    """
    _insert(rows, now)
    for row in rows:
        if row.send_at > now:
            continue  # the sweeper's
        if row.channel == Channel.IN_APP:
            push_shown(row, recipient)
        else:
            _SENDING.enqueue(str(row.public_id))


def _insert(rows: list[Notification], now: datetime) -> None:
    for row in rows:
        if row.channel == Channel.IN_APP and row.send_at <= now:
            row.state, row.sent_at = Notification.State.SENT, now
    _ROWS.many(rows)


def push_shown(row: Notification, recipient: UUID) -> None:
    """Hint the user's sockets, after commit, that the list has a new entry."""
    push.to_user(recipient, _shown(row))


def _shown(row: Notification) -> dict[str, str]:
    return {"type": "notification", "id": str(row.public_id), "kind": row.kind, "link": row.link}


def otp_row(*, otp: OneTimePassword, recipient: User, now: datetime) -> Notification:
    """The outbox row of a one-time code. It names the challenge; the sender derives the code.

    ``recipient`` is the challenge's user, or the closed account that stands in for nobody: its row is
    never sent.
    """
    return Notification(
        user_id=recipient.pk,
        channel=otp.channel,
        kind="one_time_code",
        context={},
        dedupe_key=_key(f"otp:{otp.challenge.hex}:{otp.resends}", Channel(otp.channel)),
        one_time_password=otp,
        created_at=now,
        send_at=now,
        valid_until=otp.expires_at,
    )


@transactions.writes
def mark_read(*, user_id: int, public_id: UUID, now: datetime) -> Notification:
    """Note that the user has read a notification; the first time counts. Raises NotFoundError."""
    shown = Notification.objects.shown_to(user_id).filter(public_id=public_id)
    shown.filter(read_at__isnull=True).update(read_at=now)
    row = shown.first()
    if row is None:
        raise NotFoundError
    return row


@transactions.writes
def choose_channels(*, user_id: int, choices: Iterable[tuple[str, Channel, bool]]) -> None:
    """Keep a user's own choice for each (kind, channel); what the kind would do anyway is kept too.

    The caller has checked that each may be chosen. Locks the user's row, so that two requests do
    not both insert.
    """
    User.lock(user_id)
    held = {(one.kind, one.channel): one for one in ChannelPreference.objects.filter(user_id=user_id)}
    for kind, channel, is_wanted in choices:
        one = held.get((kind, channel))
        if one is None:
            held[kind, channel] = ChannelPreference.objects.create(
                user_id=user_id, kind=kind, channel=channel, is_wanted=is_wanted
            )
        elif one.is_wanted != is_wanted:
            one.is_wanted = is_wanted
            one.save(update_fields=["is_wanted"])


def _sendable(kind: MessageKind) -> list[Channel]:
    """The channels of ``kind`` that this deployment has: the list in the app, and what has a sender."""
    return [channel for channel in kind.ways if is_offered(channel)]


def is_offered(channel: Channel) -> bool:
    """Whether this deployment tells people by ``channel``."""
    if channel == Channel.IN_APP:
        return True
    return channel in _ADDRESSES and channel in settings.NOTIFICATION_SENDERS


def _facts_of(user_id: int, kind: str, dedupe: str, channels: list[Channel]) -> dict[str, Any] | None:
    """The user's addresses, choices, and which rows there are already, in one query."""
    names = _fact_names(channels)
    if not channels:
        row = _FACTS_OF_NONE.row(user=user_id)
    else:
        keys = [_key(dedupe, channel) for channel in channels]
        # What is shown in the app alone asks for no choice, so its SQL has no kind.
        chosen = {"kind": kind} if any(channel in _ADDRESSES for channel in channels) else {}
        statement = _FACTS if chosen else _FACTS_IN_APP
        row = statement.row(tuple(channels), user=user_id, keys=keys, **chosen)
    return None if row is None else dict(zip(names, row, strict=True))


def _fact_names(channels: Collection[Channel]) -> list[str]:
    asked = [f"has_{channel}" for channel in channels]
    asked += [f"wants_{channel}" for channel in channels if channel != Channel.IN_APP]
    pushed = ["is_pushed_to"] if Channel.PUSH in channels else []
    return ["public_id", *_COLUMNS, *pushed, *asked]


def _fact_rows(
    channels: tuple[Channel, ...], *, user: int, keys: list[str], kind: str = ""
) -> QuerySet[Any, Any]:
    asked: dict[str, Any] = {}
    for channel, key in zip(channels, keys, strict=True):
        asked[f"has_{channel}"] = Exists(Notification.objects.filter(dedupe_key=key))
        if channel != Channel.IN_APP:
            chosen = ChannelPreference.objects.filter(user=OuterRef("pk"), kind=kind, channel=channel)
            asked[f"wants_{channel}"] = Subquery(chosen.values("is_wanted")[:1])
    if Channel.PUSH in channels:
        asked["is_pushed_to"] = _has_push_token()
    users = User.objects.filter(pk=user, is_active=True).annotate(**asked)
    return users.values_list(*_fact_names(channels))


def _has_push_token() -> Exists:
    return Exists(Device.objects.reached_by_push().filter(user=OuterRef("pk")))


_SENDING = Gathered(one=(SEND_TASK, "notification"), several=(SEND_EACH_TASK, "notifications"))
_ROWS = PreparedInsert(Notification)
_FACTS = Prepared(_fact_rows, user=int, keys=(str,), kind=str)
_FACTS_IN_APP = Prepared(_fact_rows, user=int, keys=(str,))
_FACTS_OF_NONE = Prepared(lambda *, user: _fact_rows((), user=user, keys=[]), user=int)


def _wanted(kind: MessageKind, channel: Channel, facts: Mapping[str, Any]) -> bool:
    if facts[f"has_{channel}"]:
        return False
    if channel == Channel.IN_APP:
        return True
    if not facts[_ADDRESSES[channel]]:
        return False
    chosen: bool | None = facts[f"wants_{channel}"]
    return kind.goes_by(channel) if chosen is None or not kind.may_choose(channel) else chosen


def _key(dedupe: str, channel: Channel) -> str:
    return f"{dedupe}:{channel}"
