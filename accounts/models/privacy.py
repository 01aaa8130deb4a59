"""What a member was told of their data and asked for, and who looked at it."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models.membership import Member
from bcc.core.models import PublicModel


class PrivacyNotice(models.Model):
    """One version of what members are told of their data. The newest published one is in force."""

    version = models.SlugField(_("version"), unique=True, help_text=_("Such as 2026-06. Never changed."))
    title = models.CharField(_("title"), max_length=120)
    text = models.TextField(_("text"))
    published_at = models.DateTimeField(_("in force from"))

    class Meta:
        verbose_name = _("privacy notice")
        verbose_name_plural = _("privacy notices")

    def __str__(self) -> str:
        return f"{self.title} ({self.version})"

    @classmethod
    def in_force(cls, at: datetime) -> PrivacyNotice | None:
        return cls.objects.filter(published_at__lte=at).order_by("-published_at", "-pk").first()


class NoticeAcceptance(models.Model):
    """That somebody accepted a version, and when; kept as long as the account."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="accepted_notices"
    )
    notice = models.ForeignKey(PrivacyNotice, on_delete=models.PROTECT, related_name="acceptances")
    accepted_at = models.DateTimeField(_("accepted at"))

    class Meta:
        verbose_name = _("accepted notice")
        verbose_name_plural = _("accepted notices")
        constraints = (
            models.UniqueConstraint(fields=("user", "notice"), name="accounts_notice_accepted_once"),
        )

    def __str__(self) -> str:
        return f"{self.user}: {self.notice.version}"


class DeletionRequest(PublicModel):
    """A member asks to be forgotten; staff act on it, or say why not."""

    class State(models.TextChoices):
        OPEN = "OPEN", _("open")
        DONE = "DONE", _("done")
        DECLINED = "DECLINED", _("declined")
        WITHDRAWN = "WITHDRAWN", _("withdrawn")

    member = models.ForeignKey(
        Member, on_delete=models.CASCADE, related_name="deletion_requests", verbose_name=_("member")
    )
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    state = models.CharField(_("state"), max_length=16, choices=State, default=State.OPEN)
    requested_at = models.DateTimeField(_("asked at"))
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)
    decided_by = models.CharField(_("decided by"), max_length=150, blank=True)
    answer = models.CharField(_("answer"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("deletion request")
        verbose_name_plural = _("deletion requests")
        constraints = (
            models.UniqueConstraint(
                fields=("member",), condition=Q(state="OPEN"), name="accounts_deletion_one_open"
            ),
        )

    def __str__(self) -> str:
        return f"{self.member}: {self.get_state_display()}"


class RecordReadQuerySet(models.QuerySet["RecordRead"]):
    def about(self, member_id: int) -> Self:
        """What others read of one member."""
        return self.filter(member_id=member_id)


class RecordRead(models.Model):
    """A member of staff looked at a member's record. Written with the page, kept by its own retention."""

    class What(models.TextChoices):
        PROFILE = "profile", _("profile")
        AS_MEMBER = "as_member", _("the app as the member sees it")
        EXPORT = "export", _("export of the data")

    member = models.ForeignKey(
        Member, on_delete=models.CASCADE, related_name="reads", verbose_name=_("member")
    )
    reader = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("by")
    )
    reader_name = models.CharField(_("name"), max_length=150)
    what = models.CharField(_("what"), max_length=16, choices=What)
    detail = models.CharField(_("detail"), max_length=200, blank=True)
    read_at = models.DateTimeField(_("at"))

    objects = RecordReadQuerySet.as_manager()

    class Meta:
        verbose_name = _("read record")
        verbose_name_plural = _("read records")
        indexes = (
            models.Index(fields=("member", "read_at"), name="accounts_read_of_member"),
            models.Index(fields=("read_at",), name="accounts_read_age"),
        )

    def __str__(self) -> str:
        return f"{self.reader_name}: {self.get_what_display()}"


class MemberViewQuerySet(models.QuerySet["MemberView"]):
    def open(self, at: datetime) -> Self:
        return self.filter(ended_at__isnull=True, expires_at__gt=at)


class MemberView(PublicModel):
    """For a quarter of an hour, and for a reason, a member of staff sees what a member sees; nothing more."""

    member = models.ForeignKey(
        Member, on_delete=models.CASCADE, related_name="views", verbose_name=_("member")
    )
    viewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", verbose_name=_("by")
    )
    reason = models.CharField(_("reason"), max_length=300)
    started_at = models.DateTimeField(_("from"))
    expires_at = models.DateTimeField(_("until"))
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)

    objects = MemberViewQuerySet.as_manager()

    class Meta:
        verbose_name = _("view as a member")
        verbose_name_plural = _("views as a member")
        permissions = (("view_as_member", _("Can see the app as a member sees it")),)

    def __str__(self) -> str:
        return f"{self.viewer} → {self.member}"
