"""Changes of club content and of what describes a facility, with the admin's validation.

The admin's own forms do the same by themselves; this is the way of the API and of the demo club.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeVar

from bcc.core import transactions
from documents.services.images import make_public
from facilities.models import Audience, Content, Facility, Illustrated, Publishing, check_audience

C = TypeVar("C", bound=Content)
DESCRIBES: Final = frozenset({"name", "description", "area", "terms", "location", "position"})


@transactions.writes
def save_content(*, instance: C, values: Mapping[str, Any]) -> C:
    """Set ``values`` by field, ``categories`` among them, and save. A new instance is inserted.

    The picture of a published text for everyone becomes one for everyone.

    Raises Django's ValidationError naming the fields.
    """
    fields = dict(values)
    is_new = instance._state.adding
    categories = fields.pop("categories", None)
    for name, value in fields.items():
        setattr(instance, name, value)
    known = categories if categories is not None or is_new else instance.categories.all()
    check_audience(audience=instance.audience, has_categories=bool(known))
    instance.full_clean()
    if is_new:
        instance.save()
    elif fields:
        instance.save(update_fields=[*fields, "updated_at"])
    if categories is not None:
        instance.categories.set(categories)
    _share_picture(instance)
    return instance


def _share_picture(content: Content) -> None:
    """What everyone reads is read before sign-in as well, with its picture."""
    if not isinstance(content, Illustrated) or content.image is None:
        return
    if content.audience == Audience.PUBLIC and content.state == Publishing.PUBLISHED:
        make_public(image=content.image)


@transactions.writes
def describe_facility(*, facility: Facility, values: Mapping[str, Any]) -> Facility:
    """Change what describes a facility; nothing that bookings depend on.

    Raises Django's ValidationError naming the fields, and KeyError for a field of another kind.
    """
    if unknown := values.keys() - DESCRIBES:
        raise KeyError(*sorted(unknown))
    for name, value in values.items():
        setattr(facility, name, value)
    facility.full_clean()
    if values:
        facility.save(update_fields=[*values, "updated_at"])
    return facility
