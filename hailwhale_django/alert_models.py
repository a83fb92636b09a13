"""What hailwhale watches by itself, and whom it tells: alerts, and reports by mail."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, URLValidator, validate_email
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from .alerts.lookout import Lookout
from .conf import DEFAULT_STORE
from .dashboard_models import Dashboard, refused
from .engine.errors import InvalidInput

CONDITIONS = (
    ("above", _("is above")),
    ("below", _("is below")),
    ("rises", _("rises by more than")),
    ("falls", _("falls by more than")),
    ("silent", _("has no data")),
)
CHANNELS = (("email", _("e-mail")), ("webhook", _("webhook")))
WITHOUT_DATA = (("keep", _("stay as it was")), ("tell", _("tell")), ("end", _("be all right")))
EVERY = (("day", _("every day")), ("week", _("every week")))

MOST_RECIPIENTS = 50
WEB_SCHEMES = ("http", "https")
STATES = (("began", _("began")), ("ended", _("ended")), ("silent", _("no data")), ("failed", _("could not be told")))


class Alert(models.Model):
    """A formula that is looked at every minute, and what is done when it leaves its bounds.

    `threshold` and `clear_at` are values of the formula, and of `rises` and `falls` parts of one: 0.2 is 20%. It begins
    beyond `threshold` and ends within `clear_at` (default: the same), so that a value on the edge does not ring twice.
    """

    name = models.CharField(_("name"), max_length=200)
    store = models.CharField(pgettext_lazy("of counts", "store"), max_length=100, default=DEFAULT_STORE)
    counter = models.CharField(_("counter"), max_length=255)
    dimension = models.CharField(_("dimension"), max_length=500, blank=True)
    each = models.BooleanField(_("each child for itself"), default=False)
    formula = models.CharField(_("formula"), max_length=500)
    condition = models.CharField(_("when it"), max_length=10, choices=CONDITIONS, default="below")
    threshold = models.FloatField(_("threshold"), null=True, blank=True)
    clear_at = models.FloatField(_("over when back at"), null=True, blank=True)
    window = models.CharField(_("window"), max_length=100, default="1h")
    versus = models.CharField(_("compared with"), max_length=100, default="previous")
    least = models.FloatField(_("only of at least"), default=0)
    without_data = models.CharField(_("without data"), max_length=5, choices=WITHOUT_DATA, default="keep")
    channel = models.CharField(_("channel"), max_length=10, choices=CHANNELS, default="email")
    recipients = models.JSONField(_("recipients"), default=list, blank=True)
    url = models.CharField(
        _("address of the webhook"), max_length=500, blank=True, validators=[URLValidator(schemes=WEB_SCHEMES)]
    )
    most_a_day = models.PositiveSmallIntegerField(
        _("at most so many a day"), default=2, validators=[MinValueValidator(1)]
    )
    active = models.BooleanField(_("active"), default=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("owner")
    )
    # What it knows of each child ("" is the counter's or dimension's own row): since when it is on, and what was told.
    memory = models.JSONField(default=dict, editable=False)
    checked_at = models.DateTimeField(_("last looked at"), null=True, editable=False)
    claimed_until = models.DateTimeField(null=True, editable=False)
    problem = models.TextField(_("problem"), blank=True, editable=False)

    class Meta:
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        super().clean()
        try:
            Lookout.of(self).check(timezone.now().timestamp())
        except InvalidInput as error:
            raise refused(error, type(self)) from error
        if self.channel == "webhook" and not self.url:
            raise ValidationError({"url": _("Name the address that is to be told.")})
        if self.channel == "email":
            self.recipients = addresses(self.recipients)


class AlertEvent(models.Model):
    """What became of an alert, and whether somebody was told."""

    alert = models.ForeignKey(Alert, models.CASCADE, related_name="events")
    at = models.DateTimeField(default=timezone.now)
    child = models.CharField(max_length=500, blank=True)
    state = models.CharField(max_length=10, choices=STATES)
    value = models.FloatField(null=True)
    text = models.TextField()
    told_at = models.DateTimeField(null=True)
    # Not told, since enough was told that day.
    withheld = models.BooleanField(default=False)

    class Meta:
        ordering = ("-at", "-id")
        default_permissions = ()
        indexes: ClassVar = [models.Index(fields=["alert", "at"], name="hailwhale_alert_at")]

    def __str__(self) -> str:
        return f"{timezone.localtime(self.at):%Y-%m-%d %H:%M} {self.text}"


class Report(models.Model):
    """A dashboard by mail, every day or every week."""

    dashboard = models.ForeignKey(Dashboard, models.CASCADE, related_name="reports", verbose_name=_("dashboard"))
    recipients = models.JSONField(_("recipients"), default=list)
    every = models.CharField(_("how often"), max_length=5, choices=EVERY, default="week")
    hour = models.PositiveSmallIntegerField(_("at hour"), default=8, validators=[MaxValueValidator(23)])
    active = models.BooleanField(_("active"), default=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("owner")
    )
    sent_at = models.DateTimeField(_("last sent"), null=True, editable=False)
    due_at = models.DateTimeField(_("next"), null=True, editable=False)
    claimed_until = models.DateTimeField(null=True, editable=False)
    problem = models.TextField(_("problem"), blank=True, editable=False)

    class Meta:
        verbose_name = _("report")
        verbose_name_plural = _("reports")
        ordering = ("dashboard", "id")

    def __str__(self) -> str:
        return f"{self.dashboard}, {self.get_every_display()}"

    def clean(self) -> None:
        super().clean()
        self.recipients = addresses(self.recipients)


def addresses(given: object) -> list[str]:
    """Addresses of mail, each once. Raises `ValidationError` that names the first that is none."""
    found = list(dict.fromkeys(given)) if isinstance(given, list) else []
    if not found:
        raise ValidationError({"recipients": _("Name at least one address.")})
    if len(found) > MOST_RECIPIENTS:
        raise ValidationError({"recipients": _("These are too many addresses; use a mailing list.")})
    for one in found:
        try:
            validate_email(one)
        except ValidationError as error:
            raise ValidationError({"recipients": f"{one}: {error.messages[0]}"}) from error
    return found
