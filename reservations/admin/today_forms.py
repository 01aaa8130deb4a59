"""What the front desk fills in: a booking for a member, a block, and what is done to a booking."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from django import forms
from django.core.validators import MaxLengthValidator
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from bcc.core import clock
from bcc.core.intervals import Interval
from bcc.core.walltime import wall_instant
from reservations.models import Type
from reservations.policies import cells
from reservations.policies.terms import Terms
from reservations.selectors.today import Place

MOST_NIGHTS: Final = 31
DAY: Final = timedelta(days=1)
Label = str | Promise


class InstantField(forms.Field):
    """An instant in UTC that the page itself wrote, hidden in a form."""

    widget = forms.HiddenInput

    def to_python(self, value: Any) -> datetime | None:
        if isinstance(value, datetime) or not value:
            return value or None
        try:
            instant = datetime.fromisoformat(str(value))
        except ValueError as error:
            raise forms.ValidationError(_("This is no time. Choose the slot again.")) from error
        if instant.tzinfo is None:
            raise forms.ValidationError(_("This is no time. Choose the slot again."))
        return instant

    def prepare_value(self, value: Any) -> Any:
        return value.isoformat() if isinstance(value, datetime) else value


@dataclass(frozen=True, slots=True)
class Choice:
    """An alternative that staff took instead of what was refused."""

    facility: UUID
    starts_at: datetime
    ends_at: datetime

    def __str__(self) -> str:
        return f"{self.facility}|{self.starts_at.isoformat()}|{self.ends_at.isoformat()}"


def read_choice(text: str) -> Choice | None:
    """What ``str(choice)`` wrote, or None."""
    try:
        facility, starts_at, ends_at = text.split("|")
        choice = Choice(UUID(facility), datetime.fromisoformat(starts_at), datetime.fromisoformat(ends_at))
    except ValueError:
        return None
    return choice if choice.starts_at.tzinfo and choice.ends_at.tzinfo else None


class BookForm(forms.Form):
    """A booking on behalf of a member, at a slot of a place."""

    facility = forms.UUIDField(widget=forms.HiddenInput)
    starts_at = InstantField()
    # One form, one booking: a second press of the button finds it used.
    once = forms.UUIDField(widget=forms.HiddenInput)
    member = forms.CharField(
        label=gettext_lazy("Member, by number or name"),
        max_length=120,
        widget=forms.TextInput(attrs={"list": "members", "autocomplete": "off", "data-members": ""}),
    )
    chosen = forms.UUIDField(required=False, widget=forms.HiddenInput)
    slots = forms.TypedChoiceField(label=gettext_lazy("Until"), coerce=int)
    party = forms.IntegerField(label=gettext_lazy("Party, all in all"), min_value=1, max_value=500)
    companions = forms.CharField(
        label=gettext_lazy("Who comes along"),
        help_text=gettext_lazy("One a line: a member's number, or a guest's name."),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    notes = forms.CharField(label=gettext_lazy("Notes"), required=False, max_length=500)
    waive = forms.BooleanField(
        label=gettext_lazy("Set the house rules aside"),
        help_text=gettext_lazy(
            "Window, notice, party, quotas, standing. Hours, closures and what is taken stay as they are."
        ),
        required=False,
    )
    reason = forms.CharField(label=gettext_lazy("Reason, for the history"), required=False, max_length=300)

    def __init__(self, place: Place, starts_at: datetime, data: Any = None) -> None:
        first, lengths = lengths_of(place, starts_at)
        super().__init__(
            data,
            prefix="book",
            label_suffix="",
            initial={
                "facility": place.facility.public_id,
                "starts_at": starts_at,
                "once": uuid4(),
                "slots": first,
                "party": place.terms.party_min if place.terms else 1,
            },
        )
        self.fields["slots"].choices = lengths  # type: ignore[attr-defined]  # a choice field

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("waive") and not cleaned.get("reason"):
            self.add_error("reason", _("Say why the rules are set aside. It stands in the history."))
        return cleaned

    @property
    def lines(self) -> list[str]:
        """Who comes along, a line each."""
        return [line.strip() for line in self.cleaned_data["companions"].splitlines() if line.strip()]


def lengths_of(place: Place, starts_at: datetime) -> tuple[int, list[tuple[int, str]]]:
    """The shortest number of slots or nights, and each that the policy takes with its end."""
    terms = place.terms
    if terms is None:
        return 1, []
    choices = []
    for count in range(terms.min_slots, terms.max_slots + 1):
        interval = interval_of(place, terms, starts_at, count)
        if interval is not None and _fits(place, interval):
            choices.append((count, _length_label(place, interval, count)))
    return terms.min_slots, choices


def interval_of(place: Place, terms: Terms, starts_at: datetime, count: int) -> Interval | None:
    """``count`` slots or nights from ``starts_at``; None where a clock change leaves no such stay."""
    if not place.facility.is_nightly:
        return Interval(starts_at, starts_at + count * terms.slot)
    zone = clock.zone()
    return cells.night_of(place.facility.spaces[0], starts_at.astimezone(zone).date(), zone, count)


def _fits(place: Place, interval: Interval) -> bool:
    return place.facility.is_nightly or any(opening.covers(interval) for opening in place.openings)


def _length_label(place: Place, interval: Interval, count: int) -> str:
    ends_at = interval.ends_at.astimezone(clock.zone())
    if place.facility.is_nightly:
        nights = ngettext("%(count)d night", "%(count)d nights", count) % {"count": count}
        return _("%(until)s, %(nights)s") % {"until": date_format(ends_at, "D j M"), "nights": nights}
    hours, minutes = divmod(interval.minutes, 60)
    length = _("%(hours)d h %(minutes)02d") % {"hours": hours, "minutes": minutes}
    return _("%(until)s, %(length)s") % {"until": date_format(ends_at, "H:i"), "length": length}


class BlockForm(forms.Form):
    """Time that the club takes for itself, by its own clock; at any hour, on any minute."""

    facility = forms.UUIDField(widget=forms.HiddenInput)
    starts_at = InstantField()
    once = forms.UUIDField(widget=forms.HiddenInput)
    title = forms.CharField(label=gettext_lazy("What for"), max_length=120)
    type = forms.ChoiceField(
        label=gettext_lazy("Kind"),
        choices=[
            (Type.BLOCKED, gettext_lazy("blocked")),
            (Type.EVENT, gettext_lazy("club event")),
            (Type.STAFF, gettext_lazy("staff")),
        ],
    )
    begins = forms.TimeField(
        label=gettext_lazy("From"), widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"})
    )
    ends = forms.TimeField(
        label=gettext_lazy("Until"),
        widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"}),
        help_text=gettext_lazy("Not after the start: on the next day."),
    )
    nights = forms.IntegerField(label=gettext_lazy("Nights"), min_value=1, max_value=MOST_NIGHTS)
    lanes = forms.IntegerField(
        label=gettext_lazy("How many"), min_value=1, help_text=gettext_lazy("Of what there is.")
    )
    notes = forms.CharField(label=gettext_lazy("Notes"), required=False, validators=[MaxLengthValidator(500)])

    def __init__(self, place: Place, slot: Interval, data: Any = None) -> None:
        zone = clock.zone()
        lanes = min(space.lanes for space in place.facility.spaces)
        super().__init__(
            data,
            prefix="block",
            label_suffix="",
            initial={
                "facility": place.facility.public_id,
                "starts_at": slot.starts_at,
                "once": uuid4(),
                "begins": slot.starts_at.astimezone(zone).time(),
                "ends": slot.ends_at.astimezone(zone).time(),
                "nights": 1,
                "lanes": lanes,
            },
        )
        self.place = place
        self.slot = slot
        unused = ("begins", "ends") if place.facility.is_nightly else ("nights",)
        for name in (*unused, *(("lanes",) if lanes == 1 else ())):
            del self.fields[name]
        if "lanes" in self.fields:
            self.fields["lanes"].max_value = lanes  # type: ignore[attr-defined]  # an integer field
            self.fields["lanes"].widget.attrs["max"] = lanes

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        lanes = cleaned.get("lanes")
        most = min(space.lanes for space in self.place.facility.spaces)
        if lanes is not None and lanes > most:
            self.add_error("lanes", _("There are only %(most)d. Take fewer.") % {"most": most})
        if not self.errors and self.interval is None:
            self.add_error(None, _("The clock skips this time of the day. Choose another one."))
        return cleaned

    @property
    def interval(self) -> Interval | None:
        """What the form asks for; None where a clock change skips one of its ends."""
        zone = clock.zone()
        on: date = self.slot.starts_at.astimezone(zone).date()
        if "nights" in self.fields:
            return cells.night_of(self.place.facility.spaces[0], on, zone, self.cleaned_data["nights"])
        begins: time = self.cleaned_data["begins"]
        ends: time = self.cleaned_data["ends"]
        starts_at = wall_instant(on, begins, zone)
        ends_at = wall_instant(on if ends > begins else on + DAY, ends, zone)
        if starts_at is None or ends_at is None or ends_at <= starts_at:
            return None
        return Interval(starts_at, ends_at)


class ActForm(forms.Form):
    """Something done to one booking. ``version`` is the one that the page showed."""

    do = forms.CharField(widget=forms.HiddenInput)
    booking = forms.UUIDField(widget=forms.HiddenInput)
    version = forms.IntegerField(widget=forms.HiddenInput)
    reason = forms.CharField(required=False, max_length=300)
    room_no = forms.CharField(required=False, max_length=16)
    waive_cost = forms.BooleanField(required=False)
