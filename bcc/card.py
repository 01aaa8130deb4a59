"""A member's card in the back office, put together from what each app knows of them."""

from __future__ import annotations

from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from accounts.models import Member
from bcc.core import clock
from reservations.selectors.card import reservations_coming, reservations_today

# Whoever speaks with members sees it.
WANTED = ("chat.serve_desks", "reservations.work_the_desk")


def member_card(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """A part of a page, for whoever answers members; the admin has asked who it is."""
    if not any(request.user.has_perm(one) for one in WANTED):
        raise PermissionDenied
    member = Member.objects.with_household().filter(public_id=public_id).first()
    if member is None:
        raise Http404
    now = clock.now()
    holds = member.holds.filter(starts_at__lte=now, until__gt=now, lifted_at__isnull=True)
    context = {
        "member": member,
        "holds": holds.order_by("until", "pk"),
        "bookings": reservations_today(member.pk, now),
        "coming": reservations_coming(member.pk, now),
        "household": Member.objects.of_household(member.membership_id).exclude(pk=member.pk).order_by("pk"),
    }
    return TemplateResponse(
        request, "admin/bcc/member_card.html", context, headers={"Cache-Control": "no-store"}
    )
