"""Who signs in (User), who answers (Identity), and the keys that speak for a user (ApiKey)."""

import uuid
from typing import ClassVar

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone


class User(AbstractUser):
    """A person who can sign in. Nothing about the person is asked for but a name to show and an address."""

    first_name = None  # type: ignore[assignment]  # real names are not collected
    last_name = None  # type: ignore[assignment]
    email = models.EmailField("e-mail address", unique=True)
    licence_accepted_at = models.DateTimeField(null=True, blank=True)
    language = models.CharField("language chosen for pages", max_length=10, blank=True, default="", db_default="")

    REQUIRED_FIELDS: ClassVar[list[str]] = ["email"]

    def get_full_name(self) -> str:
        return self.username

    def get_short_name(self) -> str:
        return self.username


class IdentityKind(models.TextChoices):
    ACCOUNT = "account", "Kudoscope account"
    BROWSER = "browser", "anonymous browser"
    SHARED_KEY = "shared_key", "shared anonymous key"
    HORDE = "horde", "AI Horde user"
    RELAY = "relay", "relay"
    IMPORT = "import", "imported rater"


class Identity(models.Model):
    """Who answers: an account, a browser without one, the shared anonymous key, a user of AI Horde.

    One identity for each (kind, external id). A user of AI Horde is known by the number behind the # of
    ``name#number``, because the name may change; ``name`` is the one last
    seen. ``key_digest`` is a keyed hash of the key under which AI Horde last knew them, and when: it lets them go on
    rating while AI Horde is down. Linking or claiming points an identity to a user and never rewrites what it rated.
    """

    kind = models.CharField(max_length=16, choices=IdentityKind)
    external_id = models.CharField(max_length=200)
    name = models.CharField("name that its provider shows", max_length=120, blank=True, db_default="")
    key_digest = models.CharField("keyed hash of the key", max_length=64, blank=True, db_default="", editable=False)
    key_confirmed_at = models.DateTimeField("key last confirmed", null=True, blank=True, editable=False)
    user = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="identities")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = "identities"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["kind", "external_id"], name="identity_is_known_once"),
            models.UniqueConstraint(fields=["user"], condition=Q(kind="account"), name="identity_user_has_one_account"),
            models.CheckConstraint(
                condition=~Q(kind="account") | Q(user__isnull=False), name="identity_account_has_a_user"
            ),
            models.CheckConstraint(condition=~Q(external_id=""), name="identity_external_id_is_given"),
            models.CheckConstraint(
                condition=Q(key_digest="", key_confirmed_at__isnull=True)
                | (~Q(key_digest="") & Q(key_confirmed_at__isnull=False)),
                name="identity_key_is_dated",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["key_digest"], condition=~Q(key_digest=""), name="identity_by_key"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.external_id}"


class Scope(models.TextChoices):
    RATE = "rate", "rate images"
    READ = "read", "read my own ratings and kudos"
    MODERATE = "moderate", "moderate, where the user may"
    RELAY = "relay", "submit what a service's own users rate"


def default_scopes() -> list[str]:
    return [Scope.RATE, Scope.READ]


class ApiKey(models.Model):
    """A key of one user: only its prefix and its hash are kept, so it can be shown once and never again.

    Keys have 22 characters, like those of AI Horde, because old clients check the length. The first
    eight are the prefix that finds the row; the other fourteen hold 83 random bits.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=60)
    prefix = models.CharField(max_length=8, unique=True)
    digest = models.CharField(max_length=64)
    scopes = ArrayField(models.CharField(max_length=16, choices=Scope), default=default_scopes)
    created_at = models.DateTimeField(default=timezone.now)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(name=""), name="api_key_name_is_given"),
            models.CheckConstraint(condition=Q(scopes__len__gt=0), name="api_key_has_a_scope"),
        ]

    def __str__(self) -> str:
        return f"{self.prefix}… ({self.name})"


def new_browser_id() -> str:
    """Return the random id under which a browser without an account rates."""
    return uuid.uuid4().hex
