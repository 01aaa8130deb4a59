"""Memberships and members, through the one service; privilege holds."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from accounts.admin import viewing
from accounts.admin.issuing import slips_answer
from accounts.admin.privacy import export_answer
from accounts.models import Member, Membership, MembershipCategory, PrivilegeHold, RecordRead, User
from accounts.services.household import (
    change_member,
    change_membership,
    close_account,
    deactivate_user,
    reactivate_user,
    register_member,
    register_membership,
    reissue_account,
)
from accounts.services.privacy import note_read
from bcc.core import clock
from bcc.core.backoffice import ClubModelAdmin, actor_of


@admin.register(MembershipCategory)
class MembershipCategoryAdmin(ClubModelAdmin[MembershipCategory]):
    list_display = ("name", "code", "rank")
    ordering = ("rank", "pk")
    search_fields = ("name", "code")
    prepopulated_fields = {"code": ("name",)}


class MemberInline(admin.TabularInline[Member, Membership]):
    """The people of a membership; each is changed on a page of their own."""

    model = Member
    fields = ("member_no", "first_name", "last_name", "relation", "can_book", "can_view_statements")
    ordering = ("pk",)
    show_change_link = True
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Membership)
class MembershipAdmin(ClubModelAdmin[Membership]):
    list_display = ("account_no", "category", "standing", "valid_to")
    list_filter = ("standing", "category")
    list_select_related = ("category",)
    search_fields = ("account_no", "members__member_no", "members__last_name")
    ordering = ("account_no", "pk")
    fields = ("account_no", "category", "standing", "valid_to")
    inlines = (MemberInline,)

    def get_readonly_fields(self, request: HttpRequest, obj: Membership | None = None) -> tuple[str, ...]:
        return ("account_no",) if obj is not None else ()

    def has_delete_permission(self, request: HttpRequest, obj: Membership | None = None) -> bool:
        return False  # an account number is never used again

    def save_model(self, request: HttpRequest, obj: Membership, form: Any, change: bool) -> None:
        facts = {name: form.cleaned_data[name] for name in ("category", "standing", "valid_to")}
        if change:
            change_membership(membership=obj, now=clock.now(), **facts)
        else:
            made = register_membership(account_no=form.cleaned_data["account_no"], **facts)
            obj.__dict__.update(made.__dict__)


class MemberForm(forms.ModelForm[Member]):
    """The person, and how to reach them, which stands on their account."""

    email = forms.CharField(
        label=gettext_lazy("e-mail"),
        required=False,
        max_length=254,
        widget=forms.EmailInput(attrs={"size": 40}),
    )
    mobile = forms.CharField(
        label=gettext_lazy("mobile number"),
        required=False,
        max_length=40,
        help_text=gettext_lazy("A mobile number without an extension; codes go there."),
    )

    class Meta:
        model = Member
        fields = (
            "membership",
            "member_no",
            "relation",
            "first_name",
            "last_name",
            "birth_date",
            "can_book",
            "can_view_statements",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        user = self.instance.user if self.instance.pk else None
        if user is not None:
            self.fields["email"].initial = user.email
            self.fields["mobile"].initial = str(user.mobile)

    def _get_validation_exclusions(self) -> set[str]:
        # One principal a membership is told by the service, at its field and in words that help.
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]  # not in the stubs
        return excluded | {"membership"}

    def validate_unique(self) -> None:
        """Left to the service: a number is taken in any spelling."""


@admin.register(Member)
class MemberAdmin(ClubModelAdmin[Member]):
    form = MemberForm
    list_display = ("member_no", "last_name", "first_name", "relation", "membership", "can_book")
    list_filter = ("relation", "can_book", "membership__standing", "membership__category")
    list_select_related = ("membership",)
    search_fields = ("member_no", "member_no_key", "first_name", "last_name", "user__email")
    autocomplete_fields = ("membership",)
    ordering = ("member_no", "pk")
    actions = ("slips", "reissue", "suspend", "open_again", "close")
    fieldsets = (
        (None, {"fields": ("membership", "member_no", "relation")}),
        (gettext_lazy("Person"), {"fields": ("first_name", "last_name", "birth_date", "email", "mobile")}),
        (gettext_lazy("Rights"), {"fields": ("can_book", "can_view_statements")}),
    )

    def get_urls(self) -> list[URLPattern]:
        guarded = self.admin_site.admin_view
        return [
            path("seen/<uuid:public_id>/", guarded(viewing.show), name="accounts_member_seen"),
            path("<int:pk>/see/", guarded(self.see_view), name="accounts_member_see"),
            path("<int:pk>/export/", guarded(require_POST(self.export_view)), name="accounts_member_export"),
            *super().get_urls(),
        ]

    def see_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return viewing.begin(request, self, get_object_or_404(Member.objects.select_related("user"), pk=pk))

    def export_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        members = Member.objects.select_related("user", "membership__category")
        return export_answer(request, get_object_or_404(members, pk=pk))

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The stock page; that it was opened is kept, and shown to the member."""
        answer: HttpResponse = super().change_view(request, object_id, form_url, extra_context)
        if request.method == "GET" and answer.status_code == HTTPStatus.OK:
            member = Member.objects.get(pk=object_id)
            note_read(member=member, by=actor_of(request), what=RecordRead.What.PROFILE, now=clock.now())
        return answer

    def get_readonly_fields(self, request: HttpRequest, obj: Member | None = None) -> tuple[str, ...]:
        # A number is given once; who moves to another membership gets another number there.
        return ("membership", "member_no") if obj is not None else ()

    def has_delete_permission(self, request: HttpRequest, obj: Member | None = None) -> bool:
        return False  # a member number is never used again

    def save_model(self, request: HttpRequest, obj: Member, form: Any, change: bool) -> None:
        facts = dict(form.cleaned_data)
        if change:
            change_member(member=obj, now=clock.now(), **facts)
        else:
            made = register_member(now=clock.now(), **facts)
            obj.__dict__.update(made.__dict__)

    @admin.action(description=gettext_lazy("Print activation slips"), permissions=["change"])
    def slips(self, request: HttpRequest, queryset: QuerySet[Member]) -> HttpResponse:
        return slips_answer(list(queryset.select_related("user")))

    @admin.action(description=gettext_lazy("Issue the accounts anew"), permissions=["change"])
    def reissue(self, request: HttpRequest, queryset: QuerySet[Member]) -> HttpResponse | None:
        return self._with_accounts(
            request,
            queryset,
            lambda user: reissue_account(user=user, now=clock.now()),
            title=_("Issue anew"),
            question=_(
                "Passwords and trusted devices of these accounts end now; each is activated again by a code."
            ),
        )

    @admin.action(description=gettext_lazy("Suspend the accounts"), permissions=["change"])
    def suspend(self, request: HttpRequest, queryset: QuerySet[Member]) -> HttpResponse | None:
        return self._with_accounts(
            request,
            queryset,
            lambda user: deactivate_user(user=user, now=clock.now()),
            title=_("Suspend"),
            question=_("These people are signed out now, and cannot sign in until the accounts are opened."),
        )

    @admin.action(description=gettext_lazy("Open suspended accounts again"), permissions=["change"])
    def open_again(self, request: HttpRequest, queryset: QuerySet[Member]) -> HttpResponse | None:
        return self._with_accounts(
            request,
            queryset,
            lambda user: reactivate_user(user=user),
            title=_("Open again"),
            question=_("These people can sign in again."),
        )

    @admin.action(description=gettext_lazy("Close the accounts for good"), permissions=["change"])
    def close(self, request: HttpRequest, queryset: QuerySet[Member]) -> HttpResponse | None:
        return self._with_accounts(
            request,
            queryset,
            lambda user: close_account(user=user, now=clock.now()),
            title=_("Close for good"),
            question=_("These accounts are never opened again, and their numbers are never used again."),
        )

    def _with_accounts(
        self,
        request: HttpRequest,
        queryset: QuerySet[Member],
        work: Callable[[User], None],
        *,
        title: str,
        question: str,
    ) -> HttpResponse | None:
        """Ask why, do ``work`` to each account, and keep both in the history. Staff are left out: their
        accounts are a superuser's."""
        members = [one for one in queryset.select_related("user") if one.user and not one.user.is_staff]

        def done(reason: str) -> str:
            for member in members:
                if member.user is not None:
                    work(member.user)
                    self.log_change(request, member, f"{title}: {reason}")
            text = ngettext("%(n)d account: %(what)s.", "%(n)d accounts: %(what)s.", len(members))
            return text % {"n": len(members), "what": title}

        return self.ask_reason(
            request,
            done,
            title=title,
            question=question,
            lines=[str(member) for member in members[:50]],
            back=self.url_of("changelist"),
        )


class HoldForm(forms.ModelForm[PrivilegeHold]):
    class Meta:
        model = PrivilegeHold
        fields = ("member", "scope", "reason", "starts_at", "until")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        starts_at, until = cleaned.get("starts_at"), cleaned.get("until")
        if starts_at and until and until <= starts_at:
            self.add_error("until", ValidationError(_("This is not after the start. Choose a later time.")))
        return cleaned


@admin.register(PrivilegeHold)
class PrivilegeHoldAdmin(ClubModelAdmin[PrivilegeHold]):
    """Holds that staff set; those of strikes and of Finance are seen, and lifted, here."""

    form = HoldForm
    list_display = ("member", "scope", "source", "reason", "starts_at", "until", "lifted_at")
    list_filter = ("scope", "source", "until")
    list_select_related = ("member",)
    search_fields = ("member__member_no", "member__last_name", "reason")
    autocomplete_fields = ("member",)
    ordering = ("-until", "-pk")
    actions = ("lift",)
    readonly_fields = ("source", "lifted_at")

    def get_readonly_fields(self, request: HttpRequest, obj: PrivilegeHold | None = None) -> tuple[str, ...]:
        return (*self.readonly_fields, "member", "scope") if obj is not None else self.readonly_fields

    def has_delete_permission(self, request: HttpRequest, obj: PrivilegeHold | None = None) -> bool:
        return False  # lifted, so that it can be seen that there was one

    def save_model(self, request: HttpRequest, obj: PrivilegeHold, form: Any, change: bool) -> None:
        if not change:
            obj.source = PrivilegeHold.Source.MANUAL
        super().save_model(request, obj, form, change)

    @admin.action(description=gettext_lazy("Lift the chosen holds"), permissions=["change"])
    def lift(self, request: HttpRequest, queryset: QuerySet[PrivilegeHold]) -> None:
        now = clock.now()
        lifted = 0
        for hold in queryset.filter(lifted_at__isnull=True):
            hold.lifted_at = now
            hold.save(update_fields=["lifted_at"])
            lifted += 1
        self.message_user(
            request, ngettext("%(n)d hold was lifted.", "%(n)d holds were lifted.", lifted) % {"n": lifted}
        )
