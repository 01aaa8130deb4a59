"""The site of the back office: its pages under the headings that staff know, not by app.

Which page stands where is one table of the composition root, ``BACKOFFICE_SECTIONS``. A page that it
does not name stands at the end, under the name of its app, so that nothing is lost.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

# One heading: a key for the style sheet, the text, and "app.model" or "app.*" in the order shown.
Section = tuple[str, Any, Sequence[str]]


class ClubAdminSite(AdminSite):
    """Django's own, with sections; permissions decide, as ever, which pages somebody is shown."""

    index_title = _("Back office")

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """As Django's, behind the second factor: who has shown only the password is sent to show it."""
        inner: Callable[..., HttpResponseBase] = super().admin_view(view, cacheable)

        @functools.wraps(inner)
        def behind_second_factor(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if settings.STAFF_SECOND_FACTOR and self.has_permission(request) and not is_verified(request):
                if request.path in (self._path("logout"), self._path("jsi18n")):
                    return inner(request, *args, **kwargs)
                wanted = urlencode({"next": request.get_full_path()})
                return HttpResponseRedirect(f"{reverse('second-factor')}?{wanted}")
            return inner(request, *args, **kwargs)

        return behind_second_factor

    def _path(self, name: str) -> str:
        return reverse(f"{self.name}:{name}", current_app=self.name)

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        apps = super().get_app_list(request, app_label)
        if app_label is not None:
            return apps
        return in_sections(apps, settings.BACKOFFICE_SECTIONS)


def is_verified(request: HttpRequest) -> bool:
    """Whether whoever is signed in has shown a second factor in this session."""
    asked = getattr(request.user, "is_verified", None)
    return bool(asked is not None and asked())


class BackofficeConfig(AdminConfig):
    default_site = "bcc.core.site.ClubAdminSite"


def in_sections(apps: Iterable[dict[str, Any]], sections: Iterable[Section]) -> list[dict[str, Any]]:
    """The pages of ``apps``, as Django lists them, by section; then what no section names, by app.

    A name goes before a ``*``, wherever the two stand. A section without a page is left out.
    """
    apps = list(apps)
    pages = {_label(app, page): page for app in apps for page in app["models"]}
    sections = list(sections)
    named = {name for _key, _title, names in sections for name in names}
    placed: set[str] = set()
    found = []
    for key, title, names in sections:
        wanted = dict.fromkeys(label for name in names for label in _matching(name, pages, named))
        labels = [label for label in wanted if label not in placed]
        placed.update(labels)
        if labels:
            found.append({"app_label": key, "name": title, "models": [pages[label] for label in labels]})
    for app in apps:
        left = [page for page in app["models"] if _label(app, page) not in placed]
        if left:
            found.append({**app, "models": left})
    return found


def _label(app: dict[str, Any], page: dict[str, Any]) -> str:
    return f"{app['app_label']}.{page['object_name'].lower()}"


def _matching(name: str, labels: Iterable[str], named: set[str]) -> list[str]:
    if not name.endswith(".*"):
        return [label for label in labels if label == name]
    return [label for label in labels if label.startswith(name[:-1]) and label not in named]
