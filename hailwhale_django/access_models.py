"""Keys by which others count, and links by which others look."""

from __future__ import annotations

import hashlib
import secrets
from datetime import date, datetime

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .dashboard_models import Dashboard, Panel, refused
from .dashboards.spec import read_filters
from .engine.domain.paths import WHOLE, Path, pk_of
from .engine.errors import InvalidInput

SHOWN_OF_A_KEY = 6
KEY_BYTES = 32
TOKEN_BYTES = 24


class WriteKey(models.Model):
    """A key that counts over HTTP, on some counters or all. It is shown once; what is kept is its hash."""

    name = models.CharField(_("name"), max_length=100)
    counters = models.JSONField(_("counters"), default=list, blank=True)
    annotates = models.BooleanField(_("may write annotations"), default=False)
    beginning = models.CharField(max_length=SHOWN_OF_A_KEY, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("since"), default=timezone.now, editable=False)
    last_used_on = models.DateField(_("last used"), null=True, editable=False)

    class Meta:
        verbose_name = _("write key")
        verbose_name_plural = _("write keys")
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        super().clean()
        try:
            self.counters = [str(pk_of(one)) for one in self.counters]
        except InvalidInput as error:
            raise ValidationError({"counters": str(error)}) from error

    def renew(self) -> str:
        """Make a new key, and forget the one before; saved with the rest."""
        key = secrets.token_urlsafe(KEY_BYTES)
        self.beginning, self.digest = key[:SHOWN_OF_A_KEY], digest_of(key)
        return key

    @property
    def paths(self) -> tuple[Path, ...]:
        """Its counters. That which is called `_` is one of them, and not the whole."""
        return tuple(Path((WHOLE,)) if text == WHOLE else Path.parse(text) for text in self.counters)

    def used(self, today: date) -> None:
        """Remember the day, in one write a day."""
        if self.last_used_on != today:
            self.last_used_on = today
            type(self).objects.filter(pk=self.pk).update(last_used_on=today)


def digest_of(key: str) -> str:
    """Keys are long and random, so one round of a plain hash is as good as many."""
    return hashlib.sha256(key.encode()).hexdigest()


def new_token() -> str:
    return secrets.token_urlsafe(TOKEN_BYTES)


class SharedLink(models.Model):
    """A link that shows a dashboard, or one panel of it, to whoever has it, and nothing else."""

    token = models.CharField(max_length=64, unique=True, default=new_token, editable=False)
    dashboard = models.ForeignKey(Dashboard, models.CASCADE, related_name="links", verbose_name=_("dashboard"))
    panel = models.ForeignKey(
        Panel, models.CASCADE, null=True, blank=True, related_name="links", verbose_name=_("only this panel")
    )
    note = models.CharField(_("for whom"), max_length=200, blank=True)
    filters = models.JSONField(_("only of"), default=list, blank=True)
    interactive = models.BooleanField(
        _("may choose"), default=True, help_text=_("The period, filters, the order, and what is beneath a row")
    )
    embeddable = models.BooleanField(
        _("may be embedded"), default=False, help_text=_("As a frame or by a script on other sites")
    )
    secret = models.CharField(max_length=200, blank=True, editable=False)
    expires_at = models.DateTimeField(_("until"), null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("shared link")
        verbose_name_plural = _("shared links")
        ordering = ("-created_at", "-id")

    def __str__(self) -> str:
        return f"{self.panel or self.dashboard} ({self.note or self.token[:SHOWN_OF_A_KEY]})"

    def clean(self) -> None:
        super().clean()
        try:
            read_filters(self.filters)
        except InvalidInput as error:
            raise refused(error, type(self)) from error
        if self.panel is not None and self.panel.dashboard_id != self.dashboard_id:
            raise ValidationError({"panel": _("This panel is on another dashboard.")})

    @property
    def has_password(self) -> bool:
        return bool(self.secret)

    def set_password(self, password: str) -> None:
        """An empty one takes it away."""
        self.secret = make_password(password) if password else ""

    def opens_with(self, password: str) -> bool:
        return check_password(password, self.secret)

    def is_over(self, now: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= now

    def seal(self) -> str:
        """What a visitor who knew the password carries: worth nothing once the password is another."""
        return hashlib.sha256(f"{self.token}:{self.secret}".encode()).hexdigest()[:32]
