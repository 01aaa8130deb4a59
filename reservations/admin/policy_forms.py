"""The form of a draft: every term of a policy, grouped as members meet them, durations in their own unit."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.core.validators import MaxValueValidator
from django.utils.translation import gettext_lazy as _

from facilities.models import PolicyVersion
from facilities.policies.plain_language import DAY, HOUR
from facilities.services import TERMS
from reservations.admin.pages import Fieldsets

UNITS: Final = (("1", _("minutes")), (str(HOUR), _("hours")), (str(DAY), _("days")))
TEN_YEARS: Final = 3653

FIELDSETS: Final[Fieldsets] = (
    (
        _("Window"),
        {"fields": ("open_days_ahead", "release_time", "min_notice_minutes", "min_notice_days")},
    ),
    (
        _("Slots"),
        {
            "fields": (
                "slot_minutes",
                ("min_slots", "max_slots"),
                "buffer_before_minutes",
                "buffer_after_minutes",
            ),
            "description": _("For what is booked by the night a slot is one night."),
        },
    ),
    (
        _("Party"),
        {
            "fields": (
                ("party_min", "party_max"),
                "guests_max",
                "guest_names_required",
                ("same_guest_limit", "same_guest_days"),
            )
        },
    ),
    (
        _("Holds"),
        {
            "fields": (
                "hold_minutes",
                "approval_required",
                "approval_sla_minutes",
                "confirm_within_minutes",
                "confirm_before_start_minutes",
                "reminder_before_deadline_minutes",
                "reminder_before_start_minutes",
                "expiry_grace_minutes",
            ),
            "description": _("Where both confirmation deadlines are given, the earlier one holds."),
        },
    ),
    (
        _("After"),
        {
            "fields": (
                "cancellation_cutoff_minutes",
                ("late_cancel", "late_cancel_charge"),
                "weather_exempt",
                "reschedule_limit",
                "rebook_lockout_minutes",
                "check_in_from_minutes",
                "no_show_after_minutes",
            )
        },
    ),
    (
        _("Other"),
        {
            "fields": (
                "waitlist_max",
                "waitlist_offer_minutes",
                "requires_good_standing",
                "on_bad_standing",
                "min_age",
                "recurrence_allowed",
            )
        },
    ),
)

# The model's names say "minutes"; here the unit is chosen beside the number.
LABELS: Final = {
    "open_days_ahead": _("opens, days ahead"),
    "min_notice_minutes": _("shortest notice"),
    "min_notice_days": _("shortest notice, calendar days"),
    "slot_minutes": _("a slot is"),
    "buffer_before_minutes": _("kept free before a booking"),
    "buffer_after_minutes": _("kept free after a booking"),
    "hold_minutes": _("held for the member"),
    "approval_sla_minutes": _("the club answers within"),
    "confirm_within_minutes": _("confirm within"),
    "confirm_before_start_minutes": _("confirm before the start"),
    "reminder_before_deadline_minutes": _("reminder before a deadline"),
    "reminder_before_start_minutes": _("reminder before the start"),
    "expiry_grace_minutes": _("grace after a deadline"),
    "cancellation_cutoff_minutes": _("free to cancel until, before the start"),
    "rebook_lockout_minutes": _("lock-out after a cancellation"),
    "check_in_from_minutes": _("check-in opens before the start"),
    "no_show_after_minutes": _("no-show after the start"),
    "waitlist_offer_minutes": _("a waitlist offer is good for"),
}
EMPTY_MEANS: Final = {
    "guests_max": _("Empty: no limit of its own."),
    "same_guest_limit": _("Empty: the same guest may come as often as they like."),
    "hold_minutes": _("Empty: nothing is held; a booking stands at once."),
    "confirm_within_minutes": _("Empty: nothing has to be confirmed later."),
    "confirm_before_start_minutes": _("Empty: nothing has to be confirmed before the start."),
    "reminder_before_deadline_minutes": _("Empty: no reminder."),
    "reminder_before_start_minutes": _("Empty: no reminder."),
    "no_show_after_minutes": _("Empty: nobody has to check in."),
    "min_age": _("Empty: any age."),
    "min_notice_days": _("0: the same day; 1: the day before."),
    "open_days_ahead": _("0: on the day itself only."),
    "waitlist_max": _("0: no waitlist."),
}


class MinutesWidget(forms.MultiWidget):
    """A number and its unit, the largest that divides it."""

    def __init__(self) -> None:
        super().__init__(
            [
                forms.NumberInput(attrs={"min": 0, "class": "vIntegerField"}),
                forms.Select(choices=UNITS, attrs={"aria-label": _("unit")}),
            ]
        )

    def decompress(self, value: int | None) -> list[Any]:
        if not value:
            return [value, "1"]
        unit = next(unit for unit in (DAY, HOUR, 1) if value % unit == 0)
        return [value // unit, str(unit)]

    def id_for_label(self, id_: str) -> str:
        return f"{id_}_0" if id_ else id_


class MinutesField(forms.MultiValueField):
    """Whole minutes, written as minutes, hours or days; None where it is left empty and may be."""

    def __init__(self, **kwargs: Any) -> None:
        number = forms.IntegerField(min_value=0, max_value=TEN_YEARS * DAY)
        unit = forms.ChoiceField(choices=UNITS)
        super().__init__([number, unit], widget=MinutesWidget(), require_all_fields=False, **kwargs)
        number.required = unit.required = False

    def compress(self, data_list: list[Any]) -> int | None:
        if not data_list or data_list[0] is None:
            if self.required:
                raise forms.ValidationError(self.error_messages["required"], code="required")
            return None
        minutes = int(data_list[0]) * int(data_list[1] or 1)
        if minutes > TEN_YEARS * DAY:
            raise forms.ValidationError(_("That is more than ten years. Choose a shorter time."), code="long")
        return minutes


class DraftForm(forms.ModelForm[PolicyVersion]):
    """``seen`` is the mark of the terms as the page showed them."""

    seen = forms.CharField(widget=forms.HiddenInput)

    class Meta:
        model = PolicyVersion
        fields = TERMS
        widgets = {"release_time": forms.TimeInput(format="%H:%M", attrs={"type": "time"})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in TERMS:
            field = self.fields[name]
            if name.endswith("_minutes"):
                field = self.fields[name] = MinutesField(required=field.required, initial=field.initial)
            elif name.endswith(("_days", "_days_ahead")):
                field.validators.append(MaxValueValidator(TEN_YEARS))
            label = LABELS.get(name, PolicyVersion._meta.get_field(name).verbose_name)  # type: ignore[union-attr]  # columns all
            field.label = str(label)[:1].upper() + str(label)[1:]
            field.help_text = EMPTY_MEANS.get(name, field.help_text)

    @property
    def terms(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in TERMS}


class PublishForm(forms.Form):
    seen = forms.CharField(widget=forms.HiddenInput)
