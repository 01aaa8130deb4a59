"""Club content: seven kinds of one shape, saved by the service that the API calls too.

The lists say what is shown at this moment and to whom; the filter "who sees it now" is the list as a
member of a category, or anybody, has it in the app.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar, TypeVar

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Prefetch, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import MembershipCategory
from bcc.core import clock, transactions
from bcc.core.backoffice import ClubModelAdmin
from bcc.core.errors import InvalidError
from documents.admin.pictures import PictureForm, TakesPicturesAdmin, picture_tag
from facilities import services
from facilities.admin.columns import state_label
from facilities.models import (
    Announcement,
    Audience,
    ClubRule,
    Contact,
    Content,
    Event,
    Faq,
    Illustrated,
    Outlet,
    Promo,
    Publishing,
    check_audience,
)
from facilities.selectors.club import content_shown

C = TypeVar("C", bound=Content)
_ANYBODY = "anybody"
# Fields of the form that stand for the picture, and are no column.
_SENT = ("upload", "upload_alt")


class ContentForm(PictureForm):
    """What the row alone cannot tell: whether the categories belong to the audience."""

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if "audience" in cleaned and "categories" in cleaned:
            try:
                check_audience(audience=cleaned["audience"], has_categories=bool(cleaned["categories"]))
            except ValidationError as error:
                self.add_error(None, error)
        return cleaned


class ShownFilter(admin.SimpleListFilter):
    """By what the app makes of state and schedule at this moment."""

    title = gettext_lazy("what the app shows")
    parameter_name = "shown"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [
            ("now", _("shown now")),
            ("later", _("shown later")),
            ("over", _("no longer shown")),
            ("draft", _("drafts")),
            ("retired", _("retired")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        now = clock.now()
        match self.value():
            case "now":
                return queryset.filter(
                    Q(publish_from__isnull=True) | Q(publish_from__lte=now),
                    Q(publish_until__isnull=True) | Q(publish_until__gt=now),
                    state=Publishing.PUBLISHED,
                )
            case "later":
                return queryset.filter(state=Publishing.PUBLISHED, publish_from__gt=now)
            case "over":
                return queryset.filter(state=Publishing.PUBLISHED, publish_until__lte=now)
            case "draft" | "retired" as state:
                return queryset.filter(state=state)
        return queryset


class SeenByFilter(admin.SimpleListFilter):
    """The very rows that the app shows a member of a category now, or anybody."""

    title = gettext_lazy("who sees it now")
    parameter_name = "seen_by"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        categories = MembershipCategory.objects.order_by("rank", "pk")
        return [(_ANYBODY, _("anybody")), *((str(one.pk), one.name) for one in categories)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        if chosen is None:
            return queryset
        # What stands in the address may be anything; only what was offered counts.
        if chosen not in {str(value) for value, _label in self.lookup_choices}:
            return queryset.none()
        category_id = None if chosen == _ANYBODY else int(chosen)
        shown = content_shown(queryset.model, category_id=category_id, at=clock.now())
        return queryset.filter(pk__in=shown.prefetch_related(None).values("pk"))


class ContentAdmin(TakesPicturesAdmin, ClubModelAdmin[C]):
    """Base of the seven. ``own`` are the fields of the kind, shown after title and text."""

    own: ClassVar[tuple[str, ...]] = ()
    form = ContentForm
    list_display: Any = ("title", "in_the_app", "for_whom", "position")
    list_filter: ClassVar[Any] = (ShownFilter, SeenByFilter, "audience")
    search_fields: ClassVar[Any] = ("title", "body")
    ordering: ClassVar[Any] = ("position", "pk")
    readonly_fields: ClassVar[Any] = ("in_the_app",)
    actions: Any = ("publish", "retire")

    def get_fieldsets(self, request: HttpRequest, obj: C | None = None) -> Any:
        schedule = ("state", "publish_from", "publish_until", *(("in_the_app",) if obj else ()))
        return (
            (None, {"fields": ("title", "body", *self.own)}),
            *self._picture_fieldset(request, obj),
            (
                _("Who sees it"),
                {
                    "fields": ("audience", "categories"),
                    "description": _("“Everyone” is also who is signed in and no member, as staff are."),
                },
            ),
            (
                _("When it is shown"),
                {
                    "fields": schedule,
                    "description": _(
                        "A published text without times is shown at once and until it is retired."
                    ),
                },
            ),
            (_("Place in lists"), {"fields": ("position",)}),
        )

    def _picture_fieldset(self, request: HttpRequest, obj: C | None) -> Any:
        if not issubclass(self.model, Illustrated):
            return ()
        may_change = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        sending = ("upload", "upload_alt") if may_change else ()
        return ((_("Picture"), {"fields": (*(("picture",) if obj else ()), "image", *sending)}),)

    def get_readonly_fields(self, request: HttpRequest, obj: C | None = None) -> Any:
        fields = tuple(super().get_readonly_fields(request, obj))
        return (*fields, "picture") if issubclass(self.model, Illustrated) else fields

    def get_autocomplete_fields(self, request: HttpRequest) -> Any:
        return ("image",) if issubclass(self.model, Illustrated) else ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[C]:
        in_order = Prefetch("categories", MembershipCategory.objects.order_by("rank", "pk"))
        return super().get_queryset(request).prefetch_related(in_order)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        kwargs["widget"] = forms.CheckboxSelectMultiple
        kwargs["queryset"] = MembershipCategory.objects.order_by("rank", "pk")
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: C, form: Any, change: bool) -> None:
        # Of a row that is there only what was changed, so that what others wrote meanwhile stays.
        names = [name for name in (form.changed_data if change else form.cleaned_data) if name not in _SENT]
        values = {name: form.cleaned_data[name] for name in names}
        sent = form.sent_picture(clock.now())
        if sent is not None:
            values["image"] = sent
        services.save_content(instance=obj, values=values)

    @admin.display(description=gettext_lazy("now"))
    def picture(self, row: Any) -> SafeString:
        return picture_tag(row.image, side=120)

    @admin.display(description=gettext_lazy("in the app"))
    def in_the_app(self, row: C) -> SafeString:
        """Whether the app shows it at this moment, and from or until when."""
        now = clock.now()
        if row.state != Publishing.PUBLISHED:
            return state_label(row.state, row.get_state_display())
        if row.publish_until is not None and row.publish_until <= now:
            return state_label("over", _("over since %(time)s") % {"time": _instant(row.publish_until)})
        if row.publish_from is not None and row.publish_from > now:
            return state_label("draft", _("from %(time)s on") % {"time": _instant(row.publish_from)})
        if row.publish_until is not None:
            return state_label("published", _("until %(time)s") % {"time": _instant(row.publish_until)})
        return state_label("published", _("shown"))

    @admin.display(description=gettext_lazy("for"), ordering="audience")
    def for_whom(self, row: C) -> str:
        if row.audience != Audience.CATEGORIES:
            return row.get_audience_display()
        return ", ".join(category.name for category in row.categories.all())

    @admin.action(description=gettext_lazy("Publish the chosen"), permissions=["change"])
    def publish(self, request: HttpRequest, queryset: QuerySet[C]) -> None:
        done = self._set_state(queryset, Publishing.PUBLISHED)
        text = ngettext("%(n)d was published.", "%(n)d were published.", done)
        self.message_user(request, text % {"n": done})

    @admin.action(description=gettext_lazy("Retire the chosen"), permissions=["change"])
    def retire(self, request: HttpRequest, queryset: QuerySet[C]) -> None:
        done = self._set_state(queryset, Publishing.RETIRED)
        text = ngettext("%(n)d was retired.", "%(n)d were retired.", done)
        self.message_user(request, text % {"n": done})

    def _set_state(self, queryset: QuerySet[C], state: Publishing) -> int:
        """All of them or, if one is refused, none. Raises InvalidError naming the one."""

        def work() -> int:
            rows = list(queryset.exclude(state=state))
            for row in rows:
                try:
                    services.save_content(instance=row, values={"state": state})
                except ValidationError as error:
                    text = _("“%(title)s” has to be corrected first: %(why)s")
                    why = " ".join(error.messages)
                    raise InvalidError(text % {"title": row.title, "why": why}) from error
            return len(rows)

        return transactions.run(work)


def _instant(at: datetime) -> str:
    return date_format(timezone.localtime(at), "DATETIME_FORMAT")


@admin.register(Announcement)
class AnnouncementAdmin(ContentAdmin[Announcement]):
    own = ("is_pinned",)
    list_display = ("title", "pinned", "in_the_app", "for_whom")
    list_filter = (*ContentAdmin.list_filter, "is_pinned")
    # As the app lists them; a position would say nothing.
    ordering = ("-is_pinned", "-pk")

    @admin.display(description=gettext_lazy("pinned"), ordering="is_pinned")
    def pinned(self, row: Announcement) -> str:
        return _("pinned") if row.is_pinned else ""


class WhenFilter(admin.SimpleListFilter):
    title = gettext_lazy("time of the event")
    parameter_name = "when"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [("upcoming", _("not over yet")), ("past", _("over"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "upcoming":
                return queryset.filter(ends_at__gt=clock.now())
            case "past":
                return queryset.filter(ends_at__lte=clock.now())
        return queryset


@admin.register(Event)
class EventAdmin(ContentAdmin[Event]):
    own = ("starts_at", "ends_at", "location", "facility")
    list_display = ("title", "starts_at", "ends_at", "location", "in_the_app", "for_whom")
    list_filter = (WhenFilter, *ContentAdmin.list_filter)
    search_fields = (*ContentAdmin.search_fields, "location", "facility__name")
    ordering = ("-starts_at", "-pk")


@admin.register(Contact)
class ContactAdmin(ContentAdmin[Contact]):
    own = ("department", "phone", "email", "hours")
    list_display = ("title", "department", "phone", "email", "in_the_app", "for_whom", "position")
    list_filter = (*ContentAdmin.list_filter, "department")
    search_fields = (*ContentAdmin.search_fields, "department", "phone", "email")


@admin.register(Faq)
class FaqAdmin(ContentAdmin[Faq]):
    own = ("topic",)
    list_display = ("title", "topic", "in_the_app", "for_whom", "position")
    list_filter = (*ContentAdmin.list_filter, "topic")
    search_fields = (*ContentAdmin.search_fields, "topic")


@admin.register(ClubRule)
class ClubRuleAdmin(ContentAdmin[ClubRule]):
    own = ("section",)
    list_display = ("title", "section", "in_the_app", "for_whom", "position")
    list_filter = (*ContentAdmin.list_filter, "section")
    search_fields = (*ContentAdmin.search_fields, "section")


@admin.register(Outlet)
class OutletAdmin(ContentAdmin[Outlet]):
    own = ("hours", "phone", "menu", "facility")
    list_display = ("title", "hours", "phone", "facility", "in_the_app", "for_whom", "position")
    list_select_related = ("facility",)
    search_fields = (*ContentAdmin.search_fields, "menu", "facility__name")


@admin.register(Promo)
class PromoAdmin(ContentAdmin[Promo]):
    own = ("code",)
    list_display = ("title", "code", "in_the_app", "for_whom", "position")
    search_fields = (*ContentAdmin.search_fields, "code")
