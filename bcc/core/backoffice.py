"""The back office: Django's own admin as an entry point like any other.

It calls services and translates what they refuse into an error on the form, or a message above the
list; a busy database too. Nothing that a service raises becomes a 500.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Final, TypeVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import ImproperlyConfigured, PermissionDenied, ValidationError
from django.db import DatabaseError, models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bcc.core.actors import Actor
from bcc.core.errors import BusyError, DomainError, InvalidError, RuleError
from bcc.core.transactions import is_transient

M = TypeVar("M", bound=models.Model)
Told = tuple[str | None, str]
# What a service may raise; a DatabaseError only if the same may succeed in a moment.
REFUSALS: Final = (DomainError, ValidationError, DatabaseError)


def told(error: BaseException) -> list[Told]:
    """(field or None, what to do) for each thing that a refusal names.

    Raises ``error`` again if it is none: a defect stays one.
    """
    if isinstance(error, DatabaseError):
        if not is_transient(error):
            raise error
        error = BusyError(_("The database is busy, and nothing was saved. Try again in a moment."))
    if isinstance(error, ValidationError):
        by_field: Mapping[str, Iterable[Any]] = (
            error.message_dict if hasattr(error, "error_dict") else {"": error.messages}
        )
        return [(field or None, str(text)) for field, texts in by_field.items() for text in texts]
    if isinstance(error, InvalidError) and error.errors:
        return [(field, str(detail)) for field, pairs in error.errors.items() for _code, detail in pairs]
    if isinstance(error, RuleError) and error.rules:
        return [(None, str(rule.detail)) for rule in error.rules]
    if isinstance(error, DomainError):
        return [(None, str(error.detail))]
    raise error


def actor_of(request: HttpRequest) -> Actor:
    """Whoever works in the back office, by the name that histories show."""
    user: Any = request.user
    return Actor("staff", str(user), user.pk)


class _RefusedForm(forms.BaseForm):
    """Stands before a form class whose data a service refused: the form says why, and is not saved."""

    refusal: ClassVar[Sequence[Told]] = ()

    def full_clean(self) -> None:
        super().full_clean()
        for field, detail in self.refusal:
            self.add_error(field if field in self.fields else None, detail)


class ReasonForm(forms.Form):
    """Why something is done. It stands in the history that members and staff see."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=300,
        error_messages={"required": gettext_lazy("Say why. It stands in the history that others read.")},
        widget=forms.Textarea(attrs={"rows": 3, "cols": 60, "autofocus": True}),
    )


class ClubModelAdmin(admin.ModelAdmin[M]):
    """Base of every page of ours. ``save_model``, ``delete_model`` and actions call services and may raise.

    Set ``ordering`` with the key as tie-break: a list without a total order shows rows twice.
    """

    list_per_page = 50
    show_full_result_count = False

    def __init__(self, model: type[M], admin_site: admin.AdminSite) -> None:
        super().__init__(model, admin_site)
        if not self.ordering:
            raise ImproperlyConfigured(f"{type(self).__name__} needs an ordering that ends in pk.")

    # ------------------------------------------------------------------ refusals on the stock pages

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        if request.method != "POST":
            return super().changeform_view(request, object_id, form_url, extra_context)
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except REFUSALS as error:
            if (answer := self.answer_to(request, error)) is not None:
                return answer
            # The exception has rolled the admin's own transaction back. The same once more, with a
            # form that is not valid, shows the page as it was filled in; without a transaction, because
            # nothing is written, and a busy database would refuse that too.
            request.refusal = told(error)  # type: ignore[attr-defined]  # Django's request takes attributes of ours
        return self._changeform_view(request, object_id, form_url, extra_context)  # type: ignore[attr-defined]  # not in the stubs

    def answer_to(self, request: HttpRequest, error: BaseException) -> HttpResponse | None:
        """A page of its own for a refusal that needs more than a text; None for all others."""
        return None

    def get_form(
        self, request: HttpRequest, obj: M | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        refusal: Sequence[Told] = getattr(request, "refusal", ())
        return type(form.__name__, (_RefusedForm, form), {"refusal": refusal}) if refusal else form

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> Any:
        try:
            return super().delete_view(request, object_id, extra_context)
        except REFUSALS as error:
            if (answer := self.answer_to(request, error)) is not None:
                return answer
            self.tell(request, error)
        return HttpResponseRedirect(self.url_of("change", object_id))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, str] | None = None) -> Any:
        if request.method != "POST":
            return super().changelist_view(request, extra_context)
        try:
            return super().changelist_view(request, extra_context)
        except REFUSALS as error:
            if (answer := self.answer_to(request, error)) is not None:
                return answer
            self.tell(request, error)
        return HttpResponseRedirect(request.get_full_path())

    # ------------------------------------------------------------------------- for pages of our own

    def tell(self, request: HttpRequest, error: BaseException) -> None:
        """Show a refusal as messages. Raises ``error`` again if it is a defect."""
        for _field, detail in told(error):
            self.message_user(request, detail, messages.ERROR)

    def require(self, request: HttpRequest, permission: str) -> None:
        """Raises PermissionDenied without ``permission``, as in ``documents.upload_batch``."""
        user: Any = request.user
        if not user.has_perm(permission):
            raise PermissionDenied

    def url_of(self, page: str, *args: object) -> str:
        """The address of a page of this admin: ``changelist``, ``change`` with the key, or one of its own."""
        options = self.model._meta
        name = f"{self.admin_site.name}:{options.app_label}_{options.model_name}_{page}"
        return reverse(name, args=args, current_app=self.admin_site.name)

    def do(self, request: HttpRequest, work: Callable[[], str], *, back: str) -> HttpResponse:
        """Run ``work``, tell what it says or why it was refused, and go to ``back``. For a POST."""
        try:
            self.message_user(request, work(), messages.SUCCESS)
        except REFUSALS as error:
            self.tell(request, error)
        return HttpResponseRedirect(back)

    def ask_reason(
        self,
        request: HttpRequest,
        work: Callable[[str], str],
        *,
        title: str,
        question: str,
        back: str,
        lines: Sequence[str] = (),
        button: str | None = None,
    ) -> HttpResponse:
        """A page that asks for a reason; then ``work(reason)``, and what it says at ``back``.

        From a page of one row, and from an action: the rows chosen come along. ``lines`` are what it
        hits. A refusal is shown on the page, with the reason as it was typed.
        """
        asked = request.method == "POST" and "confirmed" in request.POST
        form = ReasonForm(request.POST if asked else None)
        if asked and form.is_valid():
            try:
                done = work(form.cleaned_data["reason"])
            except REFUSALS as error:
                for _field, detail in told(error):
                    form.add_error(None, detail)
            else:
                self.message_user(request, done, messages.SUCCESS)
                return HttpResponseRedirect(back)
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "question": question,
            "lines": lines,
            "form": form,
            "button": button or title,
            "back": back,
            "carried": _carried(request),
            "opts": self.model._meta,
        }
        return TemplateResponse(request, "admin/ask_reason.html", context)


class ReadOnlyModelAdmin(ClubModelAdmin[M]):
    """Rows that services write: to be looked at. Actions name a permission other than ``change``."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False


def _carried(request: HttpRequest) -> list[tuple[str, str]]:
    """The fields by which the list knows its action and the rows chosen, to be sent along again."""
    names = ("action", "select_across", "index", ACTION_CHECKBOX_NAME)
    return [(name, value) for name in names for value in request.POST.getlist(name)]
