"""“Test as member X at time T”: what the rules would answer, every one of them, and nothing is changed."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from bcc.core import clock
from bcc.core.backoffice import ClubModelAdmin
from bcc.core.errors import DomainError
from facilities.models import PolicyVersion
from facilities.policies.plain_language import money
from reservations.admin.forms import TestBookingForm
from reservations.admin.pages import club_time, club_times, laid_out, refuse
from reservations.models.reservation import STATE_LABELS
from reservations.services.explain import Explanation

ASKED = ("starts_at", "party")


def booking_test_page(page: ClubModelAdmin[Any], request: HttpRequest) -> HttpResponse:
    """By GET: it changes nothing, and the address can be kept and sent. Partly filled, it is a blank form."""
    asked = any(name in request.GET for name in ASKED)
    form = TestBookingForm(request.GET if asked else None, initial={"party": 1, **request.GET.dict()})
    found: Explanation | None = None
    if asked and form.is_valid():
        try:
            found = form.explain(now=clock.now())
        except (DomainError, ValidationError) as error:
            refuse(form, error)
    context = {
        **page.admin_site.each_context(request),
        "opts": page.model._meta,
        "title": _("Test a booking"),
        "form": form,
        "form_method": "get",
        "adminform": laid_out(form, form.fieldsets),
        "errors": form.errors,
        "media": form.media,
        "button": _("Ask the rules"),
        "back": page.url_of("changelist"),
        "found": found,
        "member": form.cleaned_data.get("member") if found is not None else None,
        **({} if found is None else say(found)),
    }
    return TemplateResponse(request, "admin/reservations/reservation/test.html", context)


def say(found: Explanation) -> dict[str, Any]:
    """The answer in words: (name, value) pairs and the headline."""
    version = (
        PolicyVersion.objects.select_related("policy").filter(pk=found.terms.version_id).first()
        if found.terms is not None
        else None
    )
    facts = [
        (_("Free to cancel until"), club_time(found.free_until)),
        (_("Check-in from"), club_time(found.check_in_from)),
        (_("No-show at"), club_time(found.no_show_at)),
        (
            _("Price, by the rates"),
            "" if found.estimate is None else money(found.estimate, settings.CLUB_CURRENCY),
        ),
        (_("Terms"), str(version or "")),
    ]
    if found.refused is None and found.state is not None:
        facts.insert(0, (_("State"), str(STATE_LABELS[found.state])))
        facts.insert(1, (_("Deadline of that state"), club_time(found.expires_at)))
    return {
        "facts": [(name, value) for name, value in facts if value],
        "version": version,
        "when": club_times(found.interval.starts_at, found.interval.ends_at),
        "asked_at": club_time(found.at),
        "failed": [verdict for verdict in found.verdicts if not verdict.passed],
        "alternatives": [
            f"{one['name']}, {club_times(one['starts_at'], one['ends_at'])}" for one in found.alternatives
        ],
    }
