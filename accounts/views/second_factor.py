"""The pages of the second factor: set it up at the first sign-in, show it at every other."""

from __future__ import annotations

from typing import Any, cast

import django_otp
from django import forms
from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters

from accounts.models import User
from accounts.services import second_factor
from bcc.core import clock
from bcc.core.site import is_verified


class CodeForm(forms.Form):
    code = forms.CharField(
        label=gettext_lazy("Code"),
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "autofocus": True, "size": 14}),
    )


class StaffPage(View):
    """For staff who have shown their password, whether or not the second factor."""

    @method_decorator(sensitive_post_parameters())
    @method_decorator(csrf_protect)
    @method_decorator(never_cache)
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not admin.site.has_permission(request):
            return redirect_to_login(request.get_full_path(), reverse("admin:login"))
        return super().dispatch(request, *args, **kwargs)

    @property
    def user(self) -> User:
        return User.objects.get(pk=cast(User, self.request.user).pk)

    def shown(self, template: str, **context: Any) -> TemplateResponse:
        return TemplateResponse(
            self.request,
            f"admin/second_factor/{template}.html",
            {**admin.site.each_context(self.request), "is_nav_sidebar_enabled": False, **context},
        )


class SecondFactorView(StaffPage):
    """The picture to set it up for who has none, and else the question for a code."""

    def get(self, request: HttpRequest) -> HttpResponseBase:
        if is_verified(request):
            return HttpResponseRedirect(self._next())
        return self._page(CodeForm())

    def post(self, request: HttpRequest) -> HttpResponseBase:
        form = CodeForm(request.POST)
        if not form.is_valid():
            return self._page(form)
        user, code = self.user, form.cleaned_data["code"]
        if second_factor.is_enrolled(user):
            device = second_factor.check_second_factor(user=user, code=code)
            if device is None:
                return self._wrong(form)
            self._let_in(device)
            return HttpResponseRedirect(self._next())
        device = second_factor.begin_enrolment(user=user)
        codes = second_factor.confirm_enrolment(user=user, device=device, code=code, now=clock.now())
        if codes is None:
            return self._wrong(form)
        self._let_in(device)
        return self.shown("codes", title=_("Your recovery codes"), codes=codes, next=self._next())

    def _wrong(self, form: CodeForm) -> HttpResponse:
        form.add_error(
            "code", _("This is not the code of now, or there were too many. Wait for the next one.")
        )
        return self._page(form)

    def _page(self, form: CodeForm) -> HttpResponse:
        user = self.user
        if second_factor.is_enrolled(user):
            return self.shown("ask", title=_("Second factor"), form=form)
        device = second_factor.begin_enrolment(user=user)
        return self.shown(
            "enrol",
            title=_("Set up your second factor"),
            form=form,
            picture=second_factor.picture_of(device),
            secret=second_factor.secret_of(device),
        )

    def _let_in(self, device: Any) -> None:
        """From here on the session is one that has shown both; its old key is worth nothing."""
        self.request.session.cycle_key()
        django_otp.login(self.request, device)

    def _next(self) -> str:
        wanted = self.request.GET.get("next", "")
        is_ours = url_has_allowed_host_and_scheme(
            wanted, allowed_hosts={self.request.get_host()}, require_https=self.request.is_secure()
        )
        return wanted if is_ours else reverse("admin:index")


class RecoveryCodesView(StaffPage):
    """How many are left, and new ones in their place."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not is_verified(request):
            return redirect_to_login(request.get_full_path(), reverse("second-factor"))
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest) -> HttpResponse:
        left = second_factor.codes_left(self.user)
        return self.shown("left", title=_("Recovery codes"), left=left)

    def post(self, request: HttpRequest) -> HttpResponse:
        codes = second_factor.make_recovery_codes(user=self.user)
        return self.shown("codes", title=_("Your recovery codes"), codes=codes, next=reverse("admin:index"))
