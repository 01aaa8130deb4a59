"""One number that moves with every change of what the app shows or bookings depend on.

A process keeps the parsed rules in memory by the page's mark, which is drawn at random each time the
number moves: rules that were read inside a transaction which then rolled back are never taken for
those of the next one with the same number. The number is also part of the version of ``bootstrap`` and
of static data. The change and the number are one transaction, so nobody can read new rules under an
old number for longer than a commit.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Any, Final, TypeVar

from django.db import models
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from bcc.core import transactions

ROW: Final = 1


class Rulebook(models.Model):
    """The one row. Its key is given, not drawn, so that no engine makes a second."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=ROW, editable=False)
    number = models.PositiveBigIntegerField(default=1)
    mark = models.BigIntegerField(default=0, editable=False)

    class Meta:
        verbose_name = _("rulebook")
        verbose_name_plural = _("rulebooks")

    def __str__(self) -> str:
        return str(self.number)

    @classmethod
    def turn_page(cls) -> None:
        """Move the number, inside the caller's transaction.

        The row stays locked until that commits, so who turns the page first and reads afterwards
        sees every earlier change of the rules and no later one.
        """
        if not cls._move():
            # Two first writers may both find it missing; get_or_create lets one of them make it.
            cls.objects.get_or_create(pk=ROW)
            cls._move()

    @classmethod
    def _move(cls) -> bool:
        return bool(cls.objects.filter(pk=ROW).update(number=F("number") + 1, mark=secrets.randbits(62)))

    @classmethod
    def current_number(cls) -> int:
        return cls.objects.filter(pk=ROW).values_list("number", flat=True).first() or 1

    @classmethod
    def current_mark(cls) -> int:
        """What rules in memory are kept by; 0 before the first change."""
        return cls.objects.filter(pk=ROW).values_list("mark", flat=True).first() or 0


M_co = TypeVar("M_co", bound=models.Model, covariant=True)


class RuledQuerySet(models.QuerySet[M_co]):
    """Bulk changes turn the page too; no way to change a rule leaves the number alone."""

    def update(self, **values: Any) -> int:
        def change() -> int:
            Rulebook.turn_page()
            return super(RuledQuerySet, self).update(**values)

        return transactions.run(change, using=self.db)

    def delete(self) -> tuple[int, dict[str, int]]:
        def change() -> tuple[int, dict[str, int]]:
            Rulebook.turn_page()
            return super(RuledQuerySet, self).delete()

        return transactions.run(change, using=self.db)

    def bulk_create(self, objs: Iterable[Any], *args: Any, **kwargs: Any) -> list[M_co]:
        def change() -> list[M_co]:
            Rulebook.turn_page()
            return super(RuledQuerySet, self).bulk_create(objs, *args, **kwargs)

        return transactions.run(change, using=self.db)

    # As on Django's own: without the mark a manager would offer it, and delete the whole table.
    delete.queryset_only = True  # type: ignore[attr-defined]  # Django's mark on a function


class RuledModel(models.Model):
    """Base of every row that is part of the rulebook or of the club's static data."""

    objects = RuledQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        def change() -> None:
            Rulebook.turn_page()
            super(RuledModel, self).save(*args, **kwargs)

        transactions.run(change)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        def change() -> tuple[int, dict[str, int]]:
            Rulebook.turn_page()
            return super(RuledModel, self).delete(*args, **kwargs)

        return transactions.run(change)
