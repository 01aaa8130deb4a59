"""Heartbeats: when each scheduled job last began, and how it went."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

GRACE_SECONDS = 120
ERROR_LENGTH = 200


class JobRun(models.Model):
    """The last run of a job that the scheduler starts, by its task's name.

    Times are the machine's, not the club's: moving the demo club's clock makes no job late. A job is
    late when its last start is older than its interval and ``grace_seconds`` together.
    """

    name = models.CharField(_("job"), max_length=120, unique=True)
    last_started_at = models.DateTimeField(_("last started"))
    last_finished_at = models.DateTimeField(_("last finished"), null=True, blank=True)
    last_ok = models.BooleanField(_("went well"), null=True, blank=True)
    duration_ms = models.PositiveIntegerField(_("took, in ms"), null=True, blank=True)
    grace_seconds = models.PositiveIntegerField(
        _("grace, in seconds"),
        default=GRACE_SECONDS,
        help_text=_("How long after its time a start may come before the job counts as late."),
    )
    last_error = models.CharField(_("last error"), max_length=ERROR_LENGTH, blank=True)

    class Meta:
        verbose_name = _("scheduled job")
        verbose_name_plural = _("scheduled jobs")

    def __str__(self) -> str:
        return self.name
