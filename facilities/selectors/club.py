"""What of the club's static data somebody may read."""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

from django.db.models import Model, Prefetch, QuerySet

from accounts.models import MembershipCategory
from accounts.policies.identity import Identity
from documents.selectors.images import variants_of
from facilities.models import Content, ContentQuerySet, Facility, FacilityImage, Illustrated, Space
from facilities.selectors.policies import category_of

C = TypeVar("C", bound=Content)


def sees_drafts(identity: Identity | None, model: type[Content | Facility]) -> bool:
    """Whether somebody sees drafts too: staff who may view or change the model in the back office."""
    if identity is None:
        return False
    label = model._meta.label_lower.replace(".", ".{}_")
    return any(identity.has_perm(label.format(verb)) for verb in ("view", "change"))


def content_for(identity: Identity | None, model: type[C], *, at: datetime) -> QuerySet[C]:
    """The rows of a kind of content that ``identity`` (None: anybody) may read at ``at``."""
    if sees_drafts(identity, model):
        every: ContentQuerySet[C] = ContentQuerySet(model)
        return _with_picture(every.prefetch_related(_in_order()))
    category_id = None if identity is None else category_of(identity)
    return content_shown(model, category_id=category_id, at=at)


def content_shown(model: type[C], *, category_id: int | None, at: datetime) -> QuerySet[C]:
    """What members of the category, or anybody without one, are shown at ``at``."""
    rows: ContentQuerySet[C] = ContentQuerySet(model)
    return _with_picture(rows.shown_at(at).for_category(category_id).prefetch_related(_in_order()))


def facilities_for(identity: Identity, *, at: datetime) -> QuerySet[Facility]:
    """The facilities that ``identity`` may read at ``at``, with their spaces."""
    rows = Facility.objects.prefetch_related(Prefetch("spaces", Space.objects.order_by("name", "pk")))
    return rows if sees_drafts(identity, Facility) else rows.shown_at(at)


def with_pictures(facilities: QuerySet[Facility]) -> QuerySet[Facility]:
    """``facilities`` with their pictures in order, as the app shows them."""
    pictures = FacilityImage.objects.select_related("image").prefetch_related(variants_of("image__"))
    return facilities.prefetch_related(Prefetch("facility_images", pictures.order_by("position", "pk")))


def _with_picture(rows: ContentQuerySet[C]) -> ContentQuerySet[C]:
    model: type[Model] = rows.model
    if not issubclass(model, Illustrated):
        return rows
    return rows.select_related("image").prefetch_related(variants_of("image__"))


def _in_order() -> Prefetch[str]:
    return Prefetch("categories", MembershipCategory.objects.order_by("rank", "pk"))
