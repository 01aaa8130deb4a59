"""The kinds of message there are, and the words of each: declared by the apps, edited by staff.

An app registers its kinds in ``AppConfig.ready``. A staff-edited ``MessageTemplate`` wins over the
declared text; a process keeps the edited ones in memory for a few seconds.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from string import Template
from typing import Final, NamedTuple

from django.conf import settings
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from accounts.models import Channel, MessageTemplate
from bcc.core import clock, transactions
from bcc.core.errors import InvalidError

KEPT_SECONDS: Final = 10.0
SUBJECT_LENGTH: Final = 160
BODY_LENGTH: Final = 4000

type_text = str | Promise


class Text(NamedTuple):
    """The words of one message; the subject stands on one line."""

    subject: str
    body: str


@dataclass(frozen=True, slots=True)
class MessageKind:
    """One kind of message.

    ``fields`` maps each field of its context to a sample value for the preview; every kind has
    ``$club`` besides. ``texts`` gives (subject, body) for each channel that it may go by.
    ``channels`` says by which of those it goes unless the member chooses otherwise (True where
    nothing is said). Members cannot switch off one with ``is_security``.
    """

    code: str
    label: type_text
    fields: Mapping[str, type_text]
    texts: Mapping[Channel, tuple[type_text, type_text]]
    channels: Mapping[Channel, bool] = field(default_factory=dict)
    is_security: bool = False

    @property
    def ways(self) -> tuple[Channel, ...]:
        """The channels that it may go by. What is shown in the app is pushed in the same words, unless it
        has others for a push."""
        pushed = Channel.IN_APP in self.texts and Channel.PUSH not in self.texts
        return (*self.texts, Channel.PUSH) if pushed else tuple(self.texts)

    def words(self, channel: Channel) -> tuple[type_text, type_text]:
        """Subject and body as declared. Raises KeyError for a channel that it does not go by."""
        is_other = channel == Channel.PUSH and channel not in self.texts
        return self.texts[Channel.IN_APP if is_other else channel]

    def goes_by(self, channel: Channel) -> bool:
        """Whether it goes by ``channel`` when the member has not chosen."""
        return channel in self.ways and self.channels.get(channel, True)

    def may_choose(self, channel: Channel) -> bool:
        """Whether members may switch ``channel`` on and off. The list in the app always has it."""
        return channel in self.ways and channel != Channel.IN_APP and not self.is_security


_kinds: dict[str, MessageKind] = {}
_edited: tuple[float, dict[tuple[str, str], Text]] | None = None


def register(kind: MessageKind) -> None:
    """Declare ``kind``. Raises ValueError for a second one of the code or a text with unknown fields."""
    if _kinds.get(kind.code, kind) != kind:
        raise ValueError(f"The message kind {kind.code!r} is registered twice.")
    for channel, (subject, body) in kind.texts.items():
        unknown = _unknown_fields(kind, str(subject), str(body))
        if unknown:
            raise ValueError(f"The text of {kind.code!r} for {channel} has unknown fields: {unknown}.")
    _kinds[kind.code] = kind


def find_kind(code: str) -> MessageKind:
    """Raises KeyError for a kind that no installed app declares."""
    return _kinds[code]


def all_kinds() -> list[MessageKind]:
    """Every declared kind, by code."""
    return [_kinds[code] for code in sorted(_kinds)]


def known_fields(kind: MessageKind) -> list[str]:
    """What a text of ``kind`` may hold, without the dollar sign."""
    return sorted({*kind.fields, "club"})


def render(kind: MessageKind, channel: Channel, context: Mapping[str, str]) -> Text:
    """The words to send: the edited text if there is one, else the declared one.

    A field that an old row does not have yet is left empty rather than never sent.
    """
    edited = _edited_texts()
    text = edited.get((kind.code, channel))
    if text is None and channel == Channel.PUSH and channel not in kind.texts:
        text = edited.get((kind.code, Channel.IN_APP))
    return _filled(text or _declared(kind, channel), kind, context)


def preview(kind: MessageKind, *, subject: str, body: str) -> Text:
    """A text with the sample values in it. Raises InvalidError as ``check_text`` does."""
    check_text(kind, subject=subject, body=body)
    return _filled(Text(subject, body), kind, {name: str(sample) for name, sample in kind.fields.items()})


def check_text(kind: MessageKind, *, subject: str, body: str) -> None:
    """Raises InvalidError on ``subject`` or ``body``: an unknown field, a lone dollar sign, too long."""
    errors: dict[str, list[tuple[str, str]]] = {}
    for name, text, limit in (("subject", subject, SUBJECT_LENGTH), ("body", body, BODY_LENGTH)):
        if len(text) > limit:
            errors[name] = [
                ("too_long", _("At most %(limit)d characters. Shorten the text.") % {"limit": limit})
            ]
        elif not Template(text).is_valid():
            detail = _("A dollar sign starts a field. Write $$ for the sign itself.")
            errors[name] = [("malformed", detail)]
        elif unknown := _unknown_fields(kind, text):
            detail = _("There is no field %(unknown)s. Use these: %(fields)s.") % {
                "unknown": ", ".join(f"${one}" for one in unknown),
                "fields": ", ".join(f"${one}" for one in known_fields(kind)),
            }
            errors[name] = [("unknown_field", detail)]
    if errors:
        raise InvalidError(errors=errors)


@transactions.writes
def edit_text(*, kind: str, channel: Channel, subject: str, body: str) -> MessageTemplate:
    """Give a kind its own words on one channel; used from the next message on.

    Other processes follow within ten seconds. Raises InvalidError for an unknown kind or field.
    """
    declared = _kinds.get(kind)
    if declared is None or channel not in declared.texts:
        detail = _("There is no such message on this channel. Choose one of the list.")
        raise InvalidError(errors={"kind": [("unknown_kind", detail)]})
    check_text(declared, subject=subject, body=body)
    template = MessageTemplate.objects.filter(kind=kind, channel=channel).first()
    template = template or MessageTemplate(kind=kind, channel=channel)
    template.subject, template.body = subject, body
    template.save()
    transactions.after_commit(forget_edited_texts)
    return template


@transactions.writes
def restore_text(*, template: MessageTemplate) -> None:
    """Go back to the declared words."""
    template.delete()
    transactions.after_commit(forget_edited_texts)


def local_text(instant: datetime) -> str:
    """``instant`` as texts show it, in the club's zone: "4 May 2026, 07:30"."""
    return date_format(localtime(instant, clock.zone()), "j F Y, H:i")


def forget_edited_texts() -> None:
    """Read the edited texts again at the next message."""
    global _edited
    _edited = None


def _edited_texts() -> dict[tuple[str, str], Text]:
    global _edited
    known = _edited
    if known is None or time.monotonic() - known[0] > KEPT_SECONDS:
        rows = MessageTemplate.objects.values_list("kind", "channel", "subject", "body")
        known = (time.monotonic(), {(kind, channel): Text(*words) for kind, channel, *words in rows})
        _edited = known
    return known[1]


def _declared(kind: MessageKind, channel: Channel) -> Text:
    subject, body = kind.words(channel)
    return Text(str(subject), str(body))


def _filled(text: Text, kind: MessageKind, context: Mapping[str, str]) -> Text:
    values = dict.fromkeys(kind.fields, "") | dict(context) | {"club": settings.CLUB_NAME}
    subject = Template(text.subject).safe_substitute(values)
    # One line, whatever a value holds: a subject is a mail header.
    return Text(" ".join(subject.split()), Template(text.body).safe_substitute(values))


def _unknown_fields(kind: MessageKind, *texts: str) -> list[str]:
    known = {*kind.fields, "club"}
    return sorted({name for text in texts for name in Template(text).get_identifiers()} - known)
