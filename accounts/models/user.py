"""The credential. Who somebody is at the club is a Member."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from phonenumber_field.modelfields import PhoneNumberField

from bcc.core.models import PublicModel


class UserManager(BaseUserManager["User"]):
    def create_user(self, username: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(username=User.normalize_username(username).lower(), **fields)
        user.email = (user.email or "").lower()
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, username: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(username, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(username=(username or "").lower())


class User(AbstractBaseUser, PermissionsMixin, PublicModel):
    """Signs in by ``username`` (a member's normalised number, or a name for staff), e-mail or mobile.

    ``token_version`` goes up on password change, reset, deactivation and "log out everywhere";
    a token made under another version is dead.
    """

    username = models.CharField(_("user name"), max_length=64, unique=True)
    display_name = models.CharField(_("name"), max_length=150, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    mobile = PhoneNumberField(_("mobile number"), blank=True)
    is_staff = models.BooleanField(_("may enter the back office"), default=False)
    is_active = models.BooleanField(_("active"), default=True)
    token_version = models.PositiveIntegerField(_("token version"), default=1, editable=False)
    # Closed for good: unlike a suspended account it is never opened again.
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True, editable=False)
    date_joined = models.DateTimeField(_("created at"), auto_now_add=True)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        constraints = (
            models.UniqueConstraint(
                fields=("email",), condition=Q(email__gt=""), name="accounts_user_email_once"
            ),
            models.UniqueConstraint(
                fields=("mobile",), condition=Q(mobile__gt=""), name="accounts_user_mobile_once"
            ),
        )

    def __str__(self) -> str:
        return self.display_name or self.username

    @classmethod
    def lock(cls, user_id: int) -> None:
        """Hold a user's row until commit: an UPDATE that changes nothing is a lock on every engine.

        For what is counted per user (live codes, choices). Taken after a membership's lock, if at all.
        Whoever holds it takes no other.
        """
        cls.objects.filter(pk=user_id).update(token_version=F("token_version"))

    @property
    def awaits_activation(self) -> bool:
        """Issued, and no password chosen yet."""
        return not self.has_usable_password()

    def get_full_name(self) -> str:
        return self.display_name or self.username

    def get_short_name(self) -> str:
        return self.display_name or self.username


class RevocationEpoch(models.Model):
    """One row whose number moves when any session or user ends; processes drop their identities then."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    number = models.PositiveBigIntegerField(default=1)

    class Meta:
        verbose_name = _("revocation epoch")
        verbose_name_plural = _("revocation epochs")

    def __str__(self) -> str:
        return str(self.number)

    @classmethod
    def move(cls) -> None:
        """Move the number, inside the caller's transaction."""
        if not cls.objects.filter(pk=1).update(number=F("number") + 1):
            # Two first movers may both find it missing; get_or_create lets one of them make it.
            cls.objects.get_or_create(pk=1)
            cls.objects.filter(pk=1).update(number=F("number") + 1)

    @classmethod
    def current_number(cls) -> int:
        return cls.objects.filter(pk=1).values_list("number", flat=True).first() or 1
