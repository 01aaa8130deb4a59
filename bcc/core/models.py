"""Base models, and the table behind ``Idempotency-Key``."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _


class PublicModel(models.Model):
    """A bigint key for the database, and a random public id for everyone else."""

    public_id = models.UUIDField(_("public id"), default=uuid.uuid4, unique=True, editable=False)

    class Meta:
        abstract = True


class IdempotencyKey(models.Model):
    """One effect per (principal, route, key); the reply of the first success is kept with it.

    ``principal`` is the user's public id, so the table needs no foreign key into accounts.
    """

    principal = models.UUIDField(_("principal"))
    route = models.CharField(_("route"), max_length=120)
    key = models.CharField(_("key"), max_length=128)
    body_sha256 = models.CharField(_("hash of the body"), max_length=64)
    status = models.PositiveSmallIntegerField(_("status of the reply"), default=0)
    reply = models.BinaryField(_("body of the reply"), default=b"")
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("idempotency key")
        verbose_name_plural = _("idempotency keys")
        constraints = (
            models.UniqueConstraint(fields=("principal", "route", "key"), name="core_idempotencykey_once"),
        )
        indexes = (models.Index(fields=("created_at",), name="core_idempotencykey_age"),)

    def __str__(self) -> str:
        return f"{self.route} {self.key}"
