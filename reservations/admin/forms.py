"""The forms that the desk fills in. Each knows which service it is for, and nothing of pages."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django import forms
from django.core.exceptions import ObjectDoesNotExist
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Member
from accounts.policies.identifiers import member_number_key
from bcc.core.actors import Actor
from facilities.models import Facility, Publishing
from reservations import services
from reservations.admin.pages import Fieldsets, MomentField
from reservations.models import Reservation, Type
from reservations.selectors.situation import get_member_and_rules
from reservations.serializers.asked import LARGEST_PARTY
from reservations.services.booking import Wish
from reservations.services.explain import Explanation, explain_booking, shortest_end
from reservations.services.party import Companion

CLUB_TIME: Final = gettext_lazy("Club time.")
SHORTEST: Final = gettext_lazy("Club time. Empty: the shortest that can be booked.")


def bookable() -> QuerySet[Facility]:
    """What is not retired, in the order of the app."""
    return Facility.objects.exclude(state=Publishing.RETIRED).order_by("position", "name", "pk")


class MemberNumberField(forms.CharField):
    """A member by number, in any spelling."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=40, **kwargs)

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        member = find_member(text)
        if member is None:
            raise forms.ValidationError(
                _("No member has the number %(number)s. Look it up in Members."),
                code="unknown_member",
                params={"number": text},
            )
        return member


def find_member(text: str) -> Member | None:
    key = member_number_key(text)
    if not key:
        return None
    try:
        return Member.objects.select_related("membership__category", "user").get(member_no_key=key)
    except ObjectDoesNotExist:
        return None


def lines_of(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


class ReasonMixin(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=300,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "cols": 60}),
        help_text=gettext_lazy("It stands in the history that members and staff see."),
    )


class BookingForm(ReasonMixin):
    """Books for a member, or for the club itself. ``book`` after ``is_valid``."""

    facility = forms.ModelChoiceField(bookable(), label=gettext_lazy("Facility"))
    type = forms.ChoiceField(
        label=gettext_lazy("Booked for"),
        choices=(
            (Type.NORMAL.value, gettext_lazy("a member")),
            (Type.STAFF.value, gettext_lazy("staff")),
            (Type.EVENT.value, gettext_lazy("an event of the club")),
            (Type.BLOCKED.value, gettext_lazy("nobody: blocked")),
        ),
        initial=Type.NORMAL.value,
        help_text=gettext_lazy("Only a booking for a member is judged by the policy and counts in quotas."),
    )
    member = MemberNumberField(label=gettext_lazy("Member number"), required=False)
    starts_at = MomentField(label=gettext_lazy("Starts"), help_text=CLUB_TIME)
    ends_at = MomentField(label=gettext_lazy("Ends"), required=False, help_text=SHORTEST)
    party = forms.IntegerField(
        label=gettext_lazy("Party"),
        min_value=1,
        max_value=LARGEST_PARTY,
        initial=1,
        help_text=gettext_lazy("Everybody, the member included."),
    )
    companions = forms.CharField(
        label=gettext_lazy("The others"),
        required=False,
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 3, "cols": 60}),
        help_text=gettext_lazy("A member number or a guest's name a line. Who is missing is to be named."),
    )
    title = forms.CharField(
        label=gettext_lazy("Title"),
        required=False,
        max_length=120,
        help_text=gettext_lazy("For what the club books itself, as in Ladies' tournament."),
    )
    notes = forms.CharField(
        label=gettext_lazy("Notes"),
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2, "cols": 60}),
    )
    waive = forms.BooleanField(
        label=gettext_lazy("Set the rules of the house aside"),
        required=False,
        help_text=gettext_lazy(
            "Notice, window, party, quota and standing; a reason is needed. Hours, closures and what is "
            "taken can be set aside by nobody."
        ),
    )

    fieldsets: Fieldsets = (
        (None, {"fields": ("facility", "type", "member", "starts_at", "ends_at")}),
        (gettext_lazy("Who comes"), {"fields": ("party", "companions")}),
        (gettext_lazy("More"), {"fields": ("title", "notes", "waive", "reason")}),
    )

    def __init__(self, *args: Any, may_block: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not may_block:
            kind: Any = self.fields["type"]
            kind.choices = [one for one in kind.choices if one[0] != Type.BLOCKED]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("type") == Type.NORMAL:
            if "member" in cleaned and cleaned["member"] is None:
                self.add_error("member", _("Say for whom, or choose another kind of booking."))
            if cleaned.get("waive") and not cleaned.get("reason"):
                self.add_error("reason", _("Say why the rules are set aside."))
        elif "type" in cleaned:
            if cleaned.get("member") is not None:
                self.add_error("member", _("What the club books for itself has no member. Leave it empty."))
            if cleaned.get("ends_at") is None and "ends_at" in cleaned:
                self.add_error("ends_at", _("Say until when the club has it."))
            if not cleaned.get("title"):
                self.add_error("title", _("Say what it is for."))
        return cleaned

    def clean_companions(self) -> tuple[Companion, ...]:
        return read_companions(self.cleaned_data["companions"])

    def book(self, *, by: Actor, now: datetime) -> Reservation:
        """Book what was filled in. Raises what the services raise, with alternatives for a member."""
        data = self.cleaned_data
        facility: Facility = data["facility"]
        if data["type"] != Type.NORMAL:
            wish = Wish(facility.public_id, data["starts_at"], data["ends_at"])
            return services.block_facility(
                facility_id=facility.pk,
                interval=wish.interval,
                type=Type(data["type"]),
                title=data["title"],
                notes=data["notes"],
                by=by,
                now=now,
            )
        member: Member = data["member"]
        wish = Wish(
            facility=facility.public_id,
            starts_at=data["starts_at"],
            ends_at=data["ends_at"] or usual_end(facility, member, data["starts_at"], now),
            party=data["party"],
            companions=data["companions"] or None,
            notes=data["notes"],
        )
        with services.offering_alternatives(wish=wish, member_id=member.pk, now=now):
            return services.create_reservation(
                wish=wish,
                member_id=member.pk,
                membership_id=member.membership_id,
                by=by,
                now=now,
                waive=data["waive"],
                reason=data["reason"],
            )


def usual_end(facility: Facility, member: Member, starts_at: datetime, now: datetime) -> datetime:
    """The end of the shortest booking; the start itself where there is none, which the service refuses."""
    facts, rules = get_member_and_rules(member_id=member.pk, now=now)
    found = shortest_end(
        facility=rules.facilities[facility.pk], member=facts, rules=rules, starts_at=starts_at
    )
    return found or starts_at


def read_companions(text: str) -> tuple[Companion, ...]:
    """One a line: a member by number, or a guest's name.

    Raises ValidationError for what looks like a number and is no member's.
    """
    companions = []
    for line in lines_of(text):
        if not any(character.isdigit() for character in line):
            companions.append(Companion(guest_name=line[:120]))
            continue
        found = find_member(line)
        if found is None:
            raise forms.ValidationError(
                _("No member has the number %(number)s. Look it up in Members."),
                code="unknown_member",
                params={"number": line},
            )
        companions.append(Companion(member=found.public_id))
    return tuple(companions)


class TestBookingForm(forms.Form):
    """What would the rules say? ``explain`` after ``is_valid``; it changes nothing."""

    __test__ = False  # no test of ours, whatever its name begins with

    facility = forms.ModelChoiceField(bookable(), label=gettext_lazy("Facility"))
    member = MemberNumberField(label=gettext_lazy("Member number"))
    starts_at = MomentField(label=gettext_lazy("Starts"), help_text=CLUB_TIME)
    ends_at = MomentField(label=gettext_lazy("Ends"), required=False, help_text=SHORTEST)
    party = forms.IntegerField(
        label=gettext_lazy("Party"),
        min_value=1,
        max_value=LARGEST_PARTY,
        initial=1,
        help_text=gettext_lazy("Everybody, the member included."),
    )
    guests = forms.CharField(
        label=gettext_lazy("Guests"),
        required=False,
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 2, "cols": 40}),
        help_text=gettext_lazy(
            "A name a line; the rest of the party are taken as members. Empty: nobody is named yet."
        ),
    )
    at = MomentField(
        label=gettext_lazy("Asked at"),
        required=False,
        help_text=gettext_lazy("The moment of booking, club time. Empty: now."),
    )

    fieldsets: Fieldsets = (
        (None, {"fields": ("facility", "member", ("starts_at", "ends_at"), ("party", "guests"), "at")}),
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if "party" in cleaned and len(lines_of(cleaned.get("guests", ""))) >= cleaned["party"]:
            self.add_error(
                "guests", _("One of the party is the member. Name fewer guests or raise the party.")
            )
        return cleaned

    def explain(self, *, now: datetime) -> Explanation:
        data = self.cleaned_data
        return explain_booking(
            facility_id=data["facility"].public_id,
            member_id=data["member"].pk,
            starts_at=data["starts_at"],
            ends_at=data["ends_at"],
            party=data["party"],
            guests=lines_of(data["guests"]) or None,
            now=data["at"] or now,
        )


class RescheduleForm(ReasonMixin):
    starts_at = MomentField(label=gettext_lazy("New start"), help_text=CLUB_TIME)
    ends_at = MomentField(label=gettext_lazy("New end"), help_text=CLUB_TIME)
    waive = forms.BooleanField(
        label=gettext_lazy("Set the rules of the house aside"),
        required=False,
        help_text=gettext_lazy("Also the cut-off and the number of moves; a reason is needed."),
    )
    field_order = ("starts_at", "ends_at", "waive", "reason")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("waive") and not cleaned.get("reason"):
            self.add_error("reason", _("Say why the rules are set aside."))
        return cleaned


class CancelForMemberForm(ReasonMixin):
    """``may_waive`` is the right to say that it costs nothing."""

    waive = forms.BooleanField(
        label=gettext_lazy("It costs nothing"),
        required=False,
        help_text=gettext_lazy("For bad weather, illness or grace; a reason is needed."),
    )
    field_order = ("waive", "reason")

    def __init__(self, *args: Any, may_waive: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not may_waive:
            del self.fields["waive"]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("waive") and not cleaned.get("reason"):
            self.add_error("reason", _("Say why it costs nothing."))
        return cleaned


class RoomForm(forms.Form):
    room_no = forms.CharField(
        label=gettext_lazy("Room"),
        max_length=16,
        required=False,
        help_text=gettext_lazy("The room that the desk gives. Empty: none any more."),
    )
