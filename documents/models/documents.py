"""A household's documents, in versions, and who read them."""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q, QuerySet, Subquery
from django.utils.translation import gettext_lazy as _

from accounts.models import Member, Membership, Relation
from bcc.core.models import PublicModel
from documents.models.assets import Asset
from documents.models.periods import PeriodField


class DocumentKind(models.TextChoices):
    STATEMENT = "statement", _("statement of account")
    RECEIPT = "receipt", _("official receipt")
    NOTICE = "notice", _("notice")


class Publication(models.TextChoices):
    """The life of what a batch brings: members see what is PUBLISHED."""

    DRAFT = "draft", _("draft")
    PUBLISHED = "published", _("published")
    SUPERSEDED = "superseded", _("superseded")
    WITHDRAWN = "withdrawn", _("withdrawn")


def may_see_statements(member: Member) -> bool:
    """The principal, and who was given it; nobody of a membership that is not theirs."""
    return member.relation == Relation.PRINCIPAL or member.can_view_statements


def household_read_by(member_id: int) -> QuerySet[Member, Any]:
    """The membership whose statements the member may see, as a subquery: of one row, or of none."""
    may_see = Q(relation=Relation.PRINCIPAL) | Q(can_view_statements=True)
    return Member.objects.filter(may_see, pk=member_id).values("membership_id")


class DocumentQuerySet(models.QuerySet["Document"]):
    def published(self) -> Self:
        return self.filter(state=Publication.PUBLISHED)

    def readable_by(self, member: Member) -> Self:
        """What ``member`` may know of: the household's published ones, or nothing at all."""
        if not may_see_statements(member):
            return self.none()
        return self.published().filter(membership_id=member.membership_id)

    def shown_to(self, member_id: int) -> Self:
        """``readable_by`` for who has the member's key alone: no query before this one."""
        return self.published().of_reader(member_id)

    def of_reader(self, member_id: int) -> Self:
        """Of every state: what is the household's whose statements the member may see."""
        return self.filter(membership_id=Subquery(household_read_by(member_id)))

    def in_place_of(self, document: Document) -> Self:
        """Every version of the same document, itself among them."""
        return self.filter(
            membership_id=document.membership_id,
            kind=document.kind,
            period=document.period,
            number=document.number,
        )


class Document(PublicModel):
    """One document of a household. ``number`` is empty but for receipts and notices.

    Other bytes for the same membership, kind, period and number are another version; one version is
    published at a time. ``sha256`` is the asset's, here so that the database refuses a second filing.
    """

    membership = models.ForeignKey(
        Membership, on_delete=models.PROTECT, related_name="documents", verbose_name=_("membership")
    )
    kind = models.CharField(_("kind"), max_length=16, choices=DocumentKind)
    period = PeriodField(_("period"))
    number = models.CharField(_("number"), max_length=40, blank=True, default="")
    version = models.PositiveSmallIntegerField(_("version"), default=1)
    state = models.CharField(_("state"), max_length=16, choices=Publication, default=Publication.DRAFT)
    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="+", verbose_name=_("file"))
    sha256 = models.CharField(_("SHA-256"), max_length=64, editable=False)
    pages = models.PositiveIntegerField(_("pages"), default=0)
    created_at = models.DateTimeField(_("created at"))
    published_at = models.DateTimeField(_("published at"), null=True, blank=True)
    ended_at = models.DateTimeField(_("superseded or withdrawn at"), null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("withdrawn by"),
    )
    end_reason = models.CharField(_("why withdrawn"), max_length=300, blank=True, default="")

    objects = DocumentQuerySet.as_manager()

    class Meta:
        verbose_name = _("document")
        verbose_name_plural = _("documents")
        permissions = (
            ("read_document", _("Can read what members' documents say")),
            ("withdraw_document", _("Can withdraw documents")),
        )
        constraints = (
            models.UniqueConstraint(
                fields=("membership", "kind", "period", "number", "version"),
                name="documents_document_version",
            ),
            models.UniqueConstraint(
                fields=("membership", "kind", "period", "number", "sha256"), name="documents_document_once"
            ),
            models.UniqueConstraint(
                fields=("membership", "kind", "period", "number"),
                condition=Q(state="published"),
                name="documents_document_one_published",
            ),
            models.CheckConstraint(
                condition=Q(state__in=("draft", "published", "superseded", "withdrawn")),
                name="documents_document_state",
            ),
        )
        indexes = (models.Index(fields=("kind", "period", "state"), name="documents_document_period"),)

    def __str__(self) -> str:
        return " ".join(filter(None, (self.get_kind_display(), self.period, self.number)))


class AccessKind(models.TextChoices):
    DOWNLOAD = "download", _("downloaded")
    LINK = "link", _("asked for a link")
    PREVIEW = "preview", _("looked at")
    EXPORT = "export", _("exported")


class DocumentAccess(models.Model):
    """Somebody read a document. Never edited, never by ``save()``; staff reads are shown to the member."""

    document = models.ForeignKey(
        Document, on_delete=models.CASCADE, related_name="accesses", verbose_name=_("document")
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("read by"),
    )
    is_staff = models.BooleanField(_("as staff"), default=False)
    kind = models.CharField(_("how"), max_length=16, choices=AccessKind)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("access to a document")
        verbose_name_plural = _("accesses to documents")
        indexes = (models.Index(fields=("document", "is_staff", "id"), name="documents_access_of"),)

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, {self.at:%Y-%m-%d %H:%M}"
