"""The base of every page of the back office, on a site and a page of the test's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.db import IntegrityError, OperationalError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

from accounts.models import MembershipCategory, User
from bcc.core.backoffice import ClubModelAdmin, ReadOnlyModelAdmin, told
from bcc.core.errors import BusyError, ConflictError, InvalidError, RuleError, RuleFailure
from bcc.core.site import ClubAdminSite
from bcc.core.theme import club_css

LIST = "/admin/accounts/membershipcategory/"
BODY = {"code": "new", "name": "New", "rank": "5"}
REASON = "It rains."


def locked() -> OperationalError:
    error = OperationalError("database is locked")
    error.sqlite_errorcode = 5  # type: ignore[attr-defined]  # as the sqlite3 module sets it
    return error


class Work:
    """What the page's services do in a test: nothing, unless it says what they raise."""

    raises: BaseException | None = None
    reasons: list[str] = []

    @classmethod
    def do(cls) -> None:
        if cls.raises is not None:
            raise cls.raises


class CategoryPage(ClubModelAdmin[MembershipCategory]):
    list_display = ("code", "name", "rank")
    list_editable = ("rank",)
    ordering = ("code", "pk")
    actions = ("touch", "retire")
    readonly_fields = ("code_length",)

    def code_length(self, row: MembershipCategory) -> int:
        return len(row.code)

    def get_urls(self) -> Any:
        one = self.admin_site.admin_view(self.ask)
        return [path("<int:pk>/ask/", one, name="ask"), *super().get_urls()]

    def save_model(self, request: HttpRequest, obj: MembershipCategory, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        Work.do()

    def delete_model(self, request: HttpRequest, obj: MembershipCategory) -> None:
        super().delete_model(request, obj)
        Work.do()

    @admin.action(description="Touch")
    def touch(self, request: HttpRequest, queryset: QuerySet[MembershipCategory]) -> HttpResponse:
        def work() -> str:
            Work.do()
            return f"{queryset.count()} touched."

        return self.do(request, work, back=self.url_of("changelist"))

    @admin.action(description="Retire")
    def retire(self, request: HttpRequest, queryset: QuerySet[MembershipCategory]) -> HttpResponse:
        return self.asked(request, [row.name for row in queryset])

    def ask(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self.asked(request, [])

    def asked(self, request: HttpRequest, lines: list[str]) -> HttpResponse:
        def work(reason: str) -> str:
            Work.do()
            Work.reasons.append(reason)
            return "Retired."

        return self.ask_reason(
            request, work, title="Retire", question="Why are they retired?", lines=lines,
            back=self.url_of("changelist"),
        )  # fmt: skip


class UserPage(ReadOnlyModelAdmin[User]):
    ordering = ("pk",)
    fields = ("username",)


site = ClubAdminSite()
site.register(MembershipCategory, CategoryPage)
site.register(User, UserPage)
urlpatterns = [path("admin/club.css", club_css, name="club-css"), path("admin/", site.urls)]

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.core.test_backoffice")]


@pytest.fixture(autouse=True)
def fresh_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Work, "raises", None)
    monkeypatch.setattr(Work, "reasons", [])


@pytest.fixture
def refuse(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    return lambda error: monkeypatch.setattr(Work, "raises", error)


@pytest.fixture
def boss(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("boss"))
    return client


@pytest.fixture
def row() -> MembershipCategory:
    return MembershipCategory.objects.create(code="old", name="Old")


def faults(response: Any) -> dict[str, list[str]]:
    assert response.status_code == 200, response.content
    return dict(response.context["adminform"].form.errors)


def messages(response: Any) -> list[tuple[str, str]]:
    return [(one.level_tag, str(one)) for one in response.context["messages"]]


REFUSALS: dict[str, tuple[BaseException, dict[str, list[str]]]] = {
    "a conflict": (ConflictError("Taken. Choose another."), {"__all__": ["Taken. Choose another."]}),
    "fields": (
        InvalidError(
            errors={"name": [("dull", "Be bold."), ("long", "Be brief.")], "colour": [("no", "No.")]}
        ),
        {"name": ["Be bold.", "Be brief."], "__all__": ["No."]},
    ),
    "a field that is only read": (
        InvalidError(errors={"code_length": [("odd", "Be even.")]}), {"__all__": ["Be even."]},
    ),
    "rules": (
        RuleError([RuleFailure("one", "First rule."), RuleFailure("two", "Second rule.")]),
        {"__all__": ["First rule.", "Second rule."]},
    ),
    "Django's own, by field": (ValidationError({"name": "Be bold."}), {"name": ["Be bold."]}),
    "Django's own, plain": (ValidationError("Be bold."), {"__all__": ["Be bold."]}),
    "busy": (BusyError(), {"__all__": ["The service is busy. Try again in a moment."]}),
    "a locked database": (
        locked(), {"__all__": ["The database is busy, and nothing was saved. Try again in a moment."]},
    ),
}  # fmt: skip
DEFECTS: dict[str, BaseException] = {
    "a bug": ValueError("bug"),
    "a broken constraint": IntegrityError("UNIQUE constraint failed: x.id (1205)"),
    "a broken query": OperationalError("no such table: x"),
}
each_refusal = pytest.mark.parametrize(("error", "said"), REFUSALS.values(), ids=REFUSALS.keys())
each_defect = pytest.mark.parametrize("error", DEFECTS.values(), ids=DEFECTS.keys())


class TestTold:
    @each_defect
    def test_leaves_a_defect_a_defect(self, error: BaseException) -> None:
        with pytest.raises(type(error)) as raised:
            told(error)

        assert raised.value is error

    def test_falls_back_on_the_detail_without_fields_or_rules(self) -> None:
        assert told(InvalidError("Malformed.")) == [(None, "Malformed.")]
        assert told(RuleError(detail="Not now.")) == [(None, "Not now.")]


class TestForms:
    @each_refusal
    def test_say_what_was_refused_as_they_were_filled_in(
        self,
        boss: Client,
        refuse: Callable[[BaseException], None],
        error: BaseException,
        said: dict[str, list[str]],
    ) -> None:
        refuse(error)

        answer = boss.post(f"{LIST}add/", BODY)

        assert faults(answer) == said
        assert b'value="New"' in answer.content
        assert not MembershipCategory.objects.exists()

    def test_undo_a_change_that_was_refused(
        self, boss: Client, refuse: Callable[[BaseException], None], row: MembershipCategory
    ) -> None:
        refuse(ConflictError("Taken."))

        answer = boss.post(f"{LIST}{row.pk}/change/", BODY)

        assert faults(answer) == {"__all__": ["Taken."]}
        row.refresh_from_db()
        assert (row.code, row.name) == ("old", "Old")

    def test_save_what_is_not_refused(self, boss: Client) -> None:
        assert boss.post(f"{LIST}add/", BODY).status_code == 302
        assert MembershipCategory.objects.get().name == "New"

    @each_defect
    def test_hide_no_defect(
        self, boss: Client, refuse: Callable[[BaseException], None], error: BaseException
    ) -> None:
        refuse(error)
        with pytest.raises(type(error)):
            boss.post(f"{LIST}add/", BODY)

    def test_refuse_only_what_was_sent(
        self, boss: Client, monkeypatch: pytest.MonkeyPatch, row: MembershipCategory
    ) -> None:
        def fail(*_args: object) -> None:
            raise locked()

        monkeypatch.setattr(CategoryPage, "code_length", fail)
        # A page that cannot be read has no form to say so on.
        with pytest.raises(OperationalError):
            boss.get(f"{LIST}{row.pk}/change/")


class TestDeleting:
    @each_refusal
    def test_is_undone_and_told_on_the_rows_page(
        self,
        boss: Client,
        refuse: Callable[[BaseException], None],
        row: MembershipCategory,
        error: BaseException,
        said: dict[str, list[str]],
    ) -> None:
        refuse(error)

        answer = boss.post(f"{LIST}{row.pk}/delete/", {"post": "yes"}, follow=True)

        assert answer.redirect_chain == [(f"{LIST}{row.pk}/change/", 302)]
        texts = [text for texts in said.values() for text in texts]
        assert sorted(messages(answer)) == sorted(("error", text) for text in texts)
        assert MembershipCategory.objects.filter(pk=row.pk).exists()

    def test_deletes_what_is_not_refused(self, boss: Client, row: MembershipCategory) -> None:
        boss.post(f"{LIST}{row.pk}/delete/", {"post": "yes"})

        assert not MembershipCategory.objects.exists()


class TestLists:
    def act(self, boss: Client, action: str, row: MembershipCategory, **more: str) -> Any:
        body = {"action": action, "_selected_action": [row.pk], **more}
        return boss.post(f"{LIST}?q=", body, follow=True)

    def test_tell_what_was_done(self, boss: Client, row: MembershipCategory) -> None:
        assert messages(self.act(boss, "touch", row)) == [("success", "1 touched.")]

    def test_tell_what_an_action_was_refused(
        self, boss: Client, refuse: Callable[[BaseException], None], row: MembershipCategory
    ) -> None:
        refuse(RuleError([RuleFailure("one", "First rule."), RuleFailure("two", "Second rule.")]))

        answer = self.act(boss, "touch", row)

        assert messages(answer) == [("error", "First rule."), ("error", "Second rule.")]

    def test_tell_what_was_refused_of_the_list_itself_and_stay_there(
        self, boss: Client, refuse: Callable[[BaseException], None], row: MembershipCategory
    ) -> None:
        refuse(BusyError())
        body = {
            "form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", "form-0-id": row.pk, "form-0-rank": "7",
            "_save": "Save",
        }  # fmt: skip

        answer = boss.post(f"{LIST}?o=1", body, follow=True)

        assert answer.redirect_chain == [(f"{LIST}?o=1", 302)]
        assert messages(answer) == [("error", "The service is busy. Try again in a moment.")]
        row.refresh_from_db()
        assert row.rank == 100

    def test_need_a_total_order(self) -> None:
        class Unordered(ClubModelAdmin[MembershipCategory]):
            pass

        with pytest.raises(ImproperlyConfigured, match="Unordered needs an ordering"):
            Unordered(MembershipCategory, site)


class TestAskReason:
    def test_asks_before_anything_is_done(self, boss: Client, row: MembershipCategory) -> None:
        page = boss.get(f"{LIST}{row.pk}/ask/")

        assert page.status_code == 200
        assert b"Why are they retired?" in page.content
        assert Work.reasons == []

    def test_does_it_with_the_reason_and_goes_back(self, boss: Client, row: MembershipCategory) -> None:
        answer = boss.post(f"{LIST}{row.pk}/ask/", {"confirmed": "Retire", "reason": REASON}, follow=True)

        assert (Work.reasons, messages(answer)) == ([REASON], [("success", "Retired.")])
        assert answer.redirect_chain == [(LIST, 302)]

    @pytest.mark.parametrize("reason", ["", "   ", "x" * 301], ids=["none", "blank", "long"])
    def test_does_nothing_without_a_reason(self, boss: Client, row: MembershipCategory, reason: str) -> None:
        answer = boss.post(f"{LIST}{row.pk}/ask/", {"confirmed": "Retire", "reason": reason})

        assert answer.status_code == 200
        assert list(answer.context["form"].errors) == ["reason"]
        assert Work.reasons == []

    @each_refusal
    def test_shows_a_refusal_beside_the_reason_as_it_was_typed(
        self,
        boss: Client,
        refuse: Callable[[BaseException], None],
        row: MembershipCategory,
        error: BaseException,
        said: dict[str, list[str]],
    ) -> None:
        refuse(error)

        answer = boss.post(f"{LIST}{row.pk}/ask/", {"confirmed": "Retire", "reason": REASON})

        assert answer.status_code == 200
        texts = [text for texts in said.values() for text in texts]
        assert sorted(answer.context["form"].non_field_errors()) == sorted(texts)
        assert REASON in answer.content.decode()

    @each_defect
    def test_hides_no_defect(
        self,
        boss: Client,
        refuse: Callable[[BaseException], None],
        row: MembershipCategory,
        error: BaseException,
    ) -> None:
        refuse(error)
        with pytest.raises(type(error)):
            boss.post(f"{LIST}{row.pk}/ask/", {"confirmed": "Retire", "reason": REASON})

    def test_carries_the_chosen_rows_of_an_action_along(self, boss: Client, row: MembershipCategory) -> None:
        MembershipCategory.objects.create(code="other", name="Other")
        chosen = {"action": "retire", "_selected_action": [row.pk], "select_across": "0", "index": "0"}

        asked = boss.post(LIST, chosen)

        assert asked.context["lines"] == ["Old"]
        carried = dict(asked.context["carried"])
        assert carried == {name: str(value) for name, value in chosen.items() if name[0] != "_"} | {
            "_selected_action": str(row.pk)
        }
        done = boss.post(LIST, carried | {"confirmed": "Retire", "reason": REASON}, follow=True)
        assert (Work.reasons, messages(done)) == ([REASON], [("success", "Retired.")])


class TestReadOnly:
    def test_is_looked_at_and_nothing_else(self, boss: Client) -> None:
        page = f"/admin/accounts/user/{User.objects.get().pk}/"

        assert boss.get("/admin/accounts/user/").status_code == 200
        assert boss.get(f"{page}change/").status_code == 200
        assert boss.post(f"{page}change/", {"username": "other"}).status_code == 403
        assert boss.post(f"{page}delete/", {"post": "yes"}).status_code == 403
        assert boss.get("/admin/accounts/user/add/").status_code == 403
        assert User.objects.get().username == "boss"
