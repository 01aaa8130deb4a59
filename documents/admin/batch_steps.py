"""The buttons of a batch: each a page that says what it does, asks for a reason, and calls one service."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from bcc.core import clock
from bcc.core.actors import Actor
from bcc.core.backoffice import ClubModelAdmin, actor_of
from documents.admin.next_step import Viewer
from documents.models import ImportBatch
from documents.policies.batches import BatchState
from documents.selectors.batches import Counts, counts_of
from documents.services.batches import steps

View = Callable[..., HttpResponse]


@dataclass(frozen=True, slots=True)
class Button:
    """A link of the batch page. ``is_first`` is what to do next, ``is_grave`` what takes something away."""

    name: str
    label: str
    url: str
    is_first: bool = False
    is_grave: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that a person does with a batch. ``does(batch, actor, reason, version)`` says what it did."""

    label: Any
    permission: str
    states: Sequence[BatchState]
    question: Any
    does: Callable[[ImportBatch, Actor, str, int], str]
    lines: Callable[[ImportBatch, Counts], list[str]] = lambda _batch, _counts: []
    is_grave: bool = False

    def bound_to(self, page: ClubModelAdmin[ImportBatch]) -> View:
        def view(request: HttpRequest, pk: int) -> HttpResponse:
            page.require(request, self.permission)
            batch = get_object_or_404(ImportBatch, pk=pk)
            back = page.url_of("change", batch.pk)
            version = _version_of(request, batch)

            def work(reason: str) -> str:
                return self.does(batch, actor_of(request), reason, version)

            return page.ask_reason(
                request,
                work,
                title=f"{self.label}: {batch.title}",
                question=self.question,
                lines=self.lines(batch, counts_of(batch)),
                button=str(self.label),
                back=back,
            )

        return view


def _version_of(request: HttpRequest, batch: ImportBatch) -> int:
    """The version that the page showed from which somebody comes."""
    text = request.GET.get("version", "")
    return int(text) if text.isascii() and text.isdigit() else batch.version


def _approve(batch: ImportBatch, by: Actor, reason: str, version: int) -> str:
    steps.approve_batch(batch=batch, by=by, now=clock.now(), reason=reason, version=version)
    return _("Approved. It is being published now.")


def _reject(batch: ImportBatch, by: Actor, reason: str, version: int) -> str:
    steps.reject_batch(batch=batch, by=by, now=clock.now(), reason=reason, version=version)
    return _("Rejected. Nothing of it was published.")


def _send_back(batch: ImportBatch, by: Actor, reason: str, version: int) -> str:
    steps.send_back(batch=batch, by=by, now=clock.now(), reason=reason, version=version)
    return _("It is back in review.")


def _reopen(batch: ImportBatch, by: Actor, reason: str, version: int) -> str:
    steps.reopen_batch(batch=batch, by=by, now=clock.now(), reason=reason, version=version)
    return _("It is taken up again, and is being read and checked.")


def _roll_back(batch: ImportBatch, by: Actor, reason: str, version: int) -> str:
    left = steps.roll_back_batch(batch=batch, by=by, now=clock.now(), reason=reason, version=version)
    if left:
        return _("Rolled back, but for what was changed since: %(lines)s") % {"lines": "; ".join(left[:5])}
    return _("Rolled back. Members see what they saw before.")


def _make_real(batch: ImportBatch, by: Actor, reason: str, version: int) -> str:
    steps.end_trial(batch=batch, by=by, now=clock.now())
    return _("It is no trial any more, and can be approved.")


def _what_is_published(batch: ImportBatch, counts: Counts) -> list[str]:
    lines = [
        ngettext("One item is published.", "%(count)d items are published.", counts.open)
        % {"count": counts.open}
    ]
    if counts.waiting:
        lines.append(
            ngettext(
                "One item stays in quarantine, unpublished.",
                "%(count)d items stay in quarantine, unpublished.",
                counts.waiting,
            )
            % {"count": counts.waiting}
        )
    if counts.accepted or counts.reassigned:
        lines.append(
            _("A person accepted %(accepted)d and gave %(given)d to another account: look at those first.")
            % {"accepted": counts.accepted, "given": counts.reassigned}
        )
    lines.append(_("Members are told once, afterwards. You can roll it back, but not the message."))
    return lines


def _what_is_taken_back(batch: ImportBatch, counts: Counts) -> list[str]:
    return [
        ngettext("One item is taken back.", "%(count)d items are taken back.", counts.filed)
        % {"count": counts.filed},
        _("Where an earlier version was replaced, members see that one again."),
        _("Members who were told already are not told again."),
    ]


_R: Final = BatchState
STEPS: Final[dict[str, Step]] = {
    "approve": Step(
        gettext_lazy("Approve and publish"),
        "documents.approve_batch",
        (_R.REVIEW,),
        gettext_lazy("You answer for what members are shown. Say what you compared."),
        _approve,
        _what_is_published,
    ),
    "real": Step(
        gettext_lazy("Take it up for real"),
        "documents.upload_batch",
        (_R.REVIEW,),
        gettext_lazy("The trial becomes a batch that can be approved. Say why."),
        _make_real,
    ),
    "send-back": Step(
        gettext_lazy("Back to review"),
        "documents.approve_batch",
        (_R.APPROVED,),
        gettext_lazy("It is not published yet. Say what is to be looked at again."),
        _send_back,
    ),
    "reopen": Step(
        gettext_lazy("Take it up again"),
        "documents.upload_batch",
        (_R.FAILED, _R.REJECTED, _R.ROLLED_BACK, _R.PUBLISHED),
        gettext_lazy("It is read and checked again, and must be approved again. Say why."),
        _reopen,
    ),
    "read-again": Step(
        gettext_lazy("Read it again"),
        "documents.upload_batch",
        (_R.REVIEW,),
        gettext_lazy(
            "The files are read anew with the patterns and regions of now. Decisions on items are lost, "
            "unless part of the batch is published. Say why."
        ),
        _reopen,
    ),
    "reject": Step(
        gettext_lazy("Reject"),
        "documents.upload_batch",
        (_R.REVIEW, _R.FAILED, _R.RECEIVED, _R.IDENTIFIED, _R.VALIDATED),
        gettext_lazy("Nothing of it is published. Say what is wrong with it."),
        _reject,
        is_grave=True,
    ),
    "roll-back": Step(
        gettext_lazy("Roll back"),
        "documents.approve_batch",
        (_R.PUBLISHED,),
        gettext_lazy("Everything that this batch published is taken back at once. Say why."),
        _roll_back,
        _what_is_taken_back,
        is_grave=True,
    ),
}


def buttons(
    page: ClubModelAdmin[ImportBatch], batch: ImportBatch, counts: Counts, viewer: Viewer
) -> list[Button]:
    """What this viewer can do with the batch now, what comes next first."""
    allowed = {"documents.upload_batch": viewer.may_upload, "documents.approve_batch": viewer.may_approve}
    found = []
    for name, step in STEPS.items():
        if batch.state not in step.states or not allowed[step.permission]:
            continue
        if name == "approve" and (viewer.is_uploader or batch.is_trial or not (counts.open or counts.filed)):
            continue
        if name == "real" and not batch.is_trial:
            continue
        url = f"{page.url_of(name, batch.pk)}?version={batch.version}"
        first = name in ("approve", "real") or (name == "reopen" and batch.state != BatchState.PUBLISHED)
        found.append(Button(name, str(step.label), url, is_first=first, is_grave=step.is_grave))
    return found
