"""The admin as an entry point: it calls services, and a refusal is an error on the form."""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar

from django import forms
from django.contrib import admin
from django.db import models
from django.http import HttpRequest, HttpResponse

from bcc.core.errors import DomainError, InvalidError

M = TypeVar("M", bound=models.Model)


class ServiceForm(forms.ModelForm[Any]):
    """A form whose refusal by the service, if there was one, is told by its fields."""

    refusal: ClassVar[DomainError | None] = None

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.refusal is not None:
            for field, detail in told(self.refusal):
                self.add_error(field if field in self.fields else None, detail)
        return cleaned


class ServiceAdmin(admin.ModelAdmin[M]):
    """``save_model`` calls a service; what that refuses is undone and shown on the form again."""

    form = ServiceForm
    show_full_result_count = False
    list_per_page = 50

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except DomainError as error:
            # The exception has rolled the admin's transaction back; now the form says why.
            request.refusal = error  # type: ignore[attr-defined]  # Django's request takes attributes of ours
            return super().changeform_view(request, object_id, form_url, extra_context)

    def get_form(
        self, request: HttpRequest, obj: M | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        return type(form.__name__, (form,), {"refusal": getattr(request, "refusal", None)})


class ReadOnlyAdmin(admin.ModelAdmin[M]):
    """Rows that services write: to be looked at. Actions need the permission to change."""

    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: M | None = None) -> list[str]:
        return [field.name for field in self.model._meta.fields if field.name not in (self.exclude or ())]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        buttons = {"show_save": False, "show_save_and_continue": False, "show_close": True}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **buttons})


def told(error: DomainError) -> list[tuple[str | None, str]]:
    """(field or None, what to do) for each thing that an error names."""
    if isinstance(error, InvalidError) and error.errors:
        return [(field, str(detail)) for field, pairs in error.errors.items() for _code, detail in pairs]
    return [(None, str(error.detail))]
