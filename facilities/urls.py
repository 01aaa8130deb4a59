"""The routes of the club's static data, under /api/v1/."""

from __future__ import annotations

from django.urls import URLPattern, path

from facilities.views import content, facility

_CONTENT = {
    "announcements": (content.AnnouncementListView, content.AnnouncementView),
    "events": (content.EventListView, content.EventView),
    "contacts": (content.ContactListView, content.ContactView),
    "faqs": (content.FaqListView, content.FaqView),
    "rules": (content.ClubRuleListView, content.ClubRuleView),
    "outlets": (content.OutletListView, content.OutletView),
    "promos": (content.PromoListView, content.PromoView),
}

urlpatterns: list[URLPattern] = [
    path("facilities", facility.FacilityListView.as_view(), name="facilities"),
    path("facilities/<uuid:public_id>", facility.FacilityView.as_view(), name="facility"),
    path("facilities/<uuid:public_id>/hours", facility.HoursView.as_view(), name="facility-hours"),
    path("facilities/<uuid:public_id>/policy", facility.PolicyView.as_view(), name="facility-policy"),
    path("facilities/<uuid:public_id>/rates", facility.RatesView.as_view(), name="facility-rates"),
]
for name, (many, one) in _CONTENT.items():
    urlpatterns += [
        path(name, many.as_view(), name=name),
        path(f"{name}/<uuid:public_id>", one.as_view(), name=f"{name}-detail"),
    ]
