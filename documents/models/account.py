"""A household's account as Finance gives it: sums of each month, lines, and what is assessed."""

from __future__ import annotations

from typing import Any, Self

from django.db import models
from django.db.models import Q, Subquery
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership
from bcc.core.models import PublicModel
from documents.models.documents import Publication, household_read_by
from documents.models.periods import PeriodField


def money(label: Any) -> models.DecimalField[Any, Any]:
    """A sum in the club's one currency."""
    return models.DecimalField(label, max_digits=14, decimal_places=2)


class AccountRowQuerySet(models.QuerySet[Any]):
    def published(self) -> Self:
        return self.filter(state=Publication.PUBLISHED)

    def shown_to(self, member_id: int) -> Self:
        """The published rows of the member's household, where the member may see its statements."""
        return self.published().filter(membership_id=Subquery(household_read_by(member_id)))


class AccountRow(PublicModel):
    """What every row of an account shares. It is seen while it is published, and never edited.

    ``number`` tells rows of one period apart; corrected ones are a new version.
    """

    membership = models.ForeignKey(
        Membership, on_delete=models.PROTECT, related_name="%(class)s_rows", verbose_name=_("membership")
    )
    period = PeriodField(_("period"))
    number = models.CharField(_("number"), max_length=60, blank=True, default="")
    version = models.PositiveSmallIntegerField(_("version"), default=1)
    state = models.CharField(_("state"), max_length=16, choices=Publication, default=Publication.DRAFT)
    sha256 = models.CharField(_("hash of the row"), max_length=64, editable=False)
    created_at = models.DateTimeField(_("created at"))
    published_at = models.DateTimeField(_("published at"), null=True, blank=True)
    ended_at = models.DateTimeField(_("superseded or withdrawn at"), null=True, blank=True)

    objects = AccountRowQuerySet.as_manager()

    class Meta:
        abstract = True
        constraints = (
            models.UniqueConstraint(
                fields=("membership", "period", "number", "version"), name="documents_%(class)s_version"
            ),
            models.UniqueConstraint(
                fields=("membership", "period", "number", "sha256"), name="documents_%(class)s_once"
            ),
            models.UniqueConstraint(
                fields=("membership", "period", "number"),
                condition=Q(state="published"),
                name="documents_%(class)s_published",
            ),
            models.CheckConstraint(
                condition=Q(state__in=("draft", "published", "superseded", "withdrawn")),
                name="documents_%(class)s_state",
            ),
        )


class StatementSummary(AccountRow):
    """The sums of a month: previous + charges − payments = due. One a membership and period."""

    previous = money(_("previous balance"))
    charges = money(_("charges"))
    payments = money(_("payments"))
    due = money(_("amount due"))
    due_on = models.DateField(_("due on"), null=True, blank=True)

    class Meta(AccountRow.Meta):
        verbose_name = _("sums of a statement")
        verbose_name_plural = _("sums of statements")

    def __str__(self) -> str:
        return f"{self.period} {self.due}"


class EntryKind(models.TextChoices):
    CHARGE = "charge", _("charge")
    PAYMENT = "payment", _("payment")
    ADJUSTMENT = "adjustment", _("adjustment")


class AccountEntry(AccountRow):
    """One line of the account: a chit, a payment. ``amount`` is positive for what the member owes.

    ``number`` is the chit's or receipt's.
    """

    kind = models.CharField(_("kind"), max_length=16, choices=EntryKind)
    posted_on = models.DateField(_("posted on"))
    description = models.CharField(_("description"), max_length=200)
    outlet = models.CharField(_("where"), max_length=80, blank=True)
    amount = money(_("amount"))

    class Meta(AccountRow.Meta):
        verbose_name = _("entry of an account")
        verbose_name_plural = _("entries of accounts")
        indexes = (models.Index(fields=("membership", "posted_on", "id"), name="documents_entry_of"),)

    def __str__(self) -> str:
        return f"{self.posted_on} {self.description} {self.amount}"


class Assessment(AccountRow):
    """Dues and assessments of a household: what is asked, and by when. ``number`` is its code."""

    description = models.CharField(_("description"), max_length=200)
    amount = money(_("amount"))
    due_on = models.DateField(_("due on"), null=True, blank=True)

    class Meta(AccountRow.Meta):
        verbose_name = _("assessment")
        verbose_name_plural = _("assessments")

    def __str__(self) -> str:
        return f"{self.period} {self.description} {self.amount}"
