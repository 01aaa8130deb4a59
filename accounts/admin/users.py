"""Accounts: staff are made here, members on their own page."""

from __future__ import annotations

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as StockUserAdmin
from django.contrib.auth.forms import AdminPasswordChangeForm, BaseUserCreationForm
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import User
from accounts.policies.identifiers import plain
from accounts.services.household import deactivate_user, reactivate_user
from accounts.services.passwords import set_password
from accounts.services.second_factor import forget_second_factor
from accounts.services.sessions import log_out_everywhere
from bcc.core import clock
from bcc.core.backoffice import REFUSALS, ClubModelAdmin


class StaffForm(BaseUserCreationForm[User]):
    """A new member of staff; they change the password at their first sign-in."""

    class Meta:
        model = User
        fields = ("username", "display_name", "email", "mobile", "groups")
        field_classes: dict[str, type[forms.Field]] = {}

    def clean_username(self) -> str:
        return plain(self.cleaned_data["username"]).lower()

    def clean_email(self) -> str:
        return plain(self.cleaned_data["email"]).lower()

    def save(self, commit: bool = True) -> User:
        self.instance.is_staff = True
        return super().save(commit)


class AccountForm(forms.ModelForm[User]):
    """What may be changed of an account; a member's addresses are changed on the member's page."""

    class Meta:
        model = User
        fields = ("display_name", "email", "mobile", "is_staff", "is_superuser", "groups")

    def clean_email(self) -> str:
        return plain(self.cleaned_data["email"]).lower()


class PasswordForm(AdminPasswordChangeForm):  # type: ignore[type-arg]  # generic in the stubs only
    """Sets a password, or makes it unusable, and ends every session of the account."""

    def save(self, commit: bool = True) -> User:
        user: User = self.user
        usable = self.cleaned_data.get("set_usable_password", True)
        password = self.cleaned_data["password1"] if usable else None
        set_password(user=user, password=password, now=clock.now())
        return user


@admin.register(User)
class UserAdmin(ClubModelAdmin[User], StockUserAdmin[User]):
    add_form = StaffForm
    form = AccountForm
    change_password_form = PasswordForm
    list_display = ("username", "display_name", "email", "is_staff", "is_active", "last_login")
    list_filter = ("is_staff", "is_active", "groups")
    search_fields = ("username", "display_name", "email", "member__member_no")
    ordering = ("username", "pk")
    filter_horizontal = ("groups",)
    readonly_fields = ("username", "is_active", "last_login", "date_joined")
    actions = ("deactivate", "reactivate", "sign_out", "second_factor_anew")
    fieldsets = (
        (None, {"fields": ("username", "display_name", "email", "mobile", "is_active")}),
        (gettext_lazy("Rights"), {"fields": ("is_staff", "is_superuser", "groups")}),
        (gettext_lazy("Times"), {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (None, {"fields": ("username", "display_name", "email", "mobile", "groups")}),
        (gettext_lazy("Password"), {"fields": ("password1", "password2")}),
    )

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Only superusers change staff: whoever could would give themselves every right."""
        if obj is not None and (obj.is_staff or obj.is_superuser) and not _is_superuser(request):
            return False
        return super().has_change_permission(request, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return _is_superuser(request)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False  # histories name their people; accounts are closed instead

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        fixed: tuple[str, ...] = () if obj is None else self.readonly_fields
        if not _is_superuser(request):
            fixed = (*fixed, "is_staff", "is_superuser", "groups")
        if obj is not None and hasattr(obj, "member"):
            fixed = (*fixed, "display_name", "email", "mobile")
        return fixed

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        if request.method != "POST":
            return super().user_change_password(request, id, form_url)
        try:
            return super().user_change_password(request, id, form_url)
        except REFUSALS as error:
            self.tell(request, error)
        return HttpResponseRedirect(request.get_full_path())

    @admin.action(description=gettext_lazy("Close the chosen accounts"), permissions=["change"])
    def deactivate(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        users = self._changeable(request, queryset.filter(is_active=True).exclude(pk=request.user.pk or 0))
        for user in users:
            deactivate_user(user=user, now=clock.now())
            self.log_change(request, user, _("Account closed."))
        text = ngettext("%(n)d account was closed.", "%(n)d accounts were closed.", len(users))
        self.message_user(request, text % {"n": len(users)})

    @admin.action(description=gettext_lazy("Open the chosen accounts again"), permissions=["change"])
    def reactivate(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        users = self._changeable(request, queryset.filter(is_active=False))
        for user in users:
            reactivate_user(user=user)
            self.log_change(request, user, _("Account opened again."))
        text = ngettext("%(n)d account was opened again.", "%(n)d accounts were opened again.", len(users))
        self.message_user(request, text % {"n": len(users)})

    @admin.action(description=gettext_lazy("Sign the chosen people out everywhere"), permissions=["change"])
    def sign_out(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        users = self._changeable(request, queryset)
        for user in users:
            log_out_everywhere(user_id=user.pk, now=clock.now())
            self.log_change(request, user, _("Signed out everywhere."))
        text = ngettext("%(n)d person was signed out.", "%(n)d people were signed out.", len(users))
        self.message_user(request, text % {"n": len(users)})

    @admin.action(
        description=gettext_lazy("Let the chosen staff set up their second factor anew"),
        permissions=["change"],
    )
    def second_factor_anew(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        users = self._changeable(request, queryset.filter(is_staff=True))
        for user in users:
            forget_second_factor(user=user)
            self.log_change(request, user, _("Second factor to be set up anew."))
        text = ngettext("%(n)d person sets it up anew.", "%(n)d people set it up anew.", len(users))
        self.message_user(request, text % {"n": len(users)})

    def _changeable(self, request: HttpRequest, queryset: QuerySet[User]) -> list[User]:
        chosen = list(queryset)
        allowed = [user for user in chosen if self.has_change_permission(request, user)]
        if len(allowed) < len(chosen):
            text = _("Accounts of staff were left out. Ask a superuser to change them.")
            self.message_user(request, text, messages.WARNING)
        return allowed


def _is_superuser(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_superuser", False))
