"""What Django's database knows of hailwhale: names to hang permissions and admin pages on, and decisions that somebody
registered; and, from files of their own, dashboards, keys, links and alerts. Counts live in Redis.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models, transaction
from django.db.models.signals import post_delete, post_save
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from .access_models import SharedLink, WriteKey
from .alert_models import Alert, AlertEvent, Report
from .conf import DEFAULT_STORE
from .dashboard_models import Annotation, Dashboard, Panel, Segment
from .decisions import forget
from .engine.decide.aim import DEFAULT
from .engine.decide.terms import DEFAULT_POLICY
from .engine.decider import counter_of
from .engine.errors import InvalidInput
from .registration import HOLD_SECONDS, WINDOW_SECONDS, Registration, registration

__all__ = [
    "Alert",
    "AlertEvent",
    "Annotation",
    "Counter",
    "Dashboard",
    "DeadLetter",
    "Decision",
    "DecisionChange",
    "Health",
    "Live",
    "Panel",
    "Report",
    "Segment",
    "SharedLink",
    "WriteKey",
]


class Counter(models.Model):
    """A counter, as permissions and the admin see it. It has no table.

    `view_counter` reads, `add_counter` counts, `change_counter` sets buckets, `delete_counter` resets.
    """

    class Meta:
        managed = False
        verbose_name = _("counter")
        verbose_name_plural = _("counters")

    def __str__(self) -> str:
        return str(self._meta.verbose_name)


class Health(Counter):
    """How hailwhale is, as permissions and the admin see it."""

    class Meta:
        proxy = True
        default_permissions = ("view",)
        verbose_name = verbose_name_plural = _("health")


class Live(Counter):
    """Events as they arrive, and what was logged of visitors."""

    class Meta:
        proxy = True
        default_permissions = ("view",)
        verbose_name = verbose_name_plural = _("live")


class DeadLetter(Counter):
    """Events that cannot be counted. `change_deadletter` counts them again, `delete_deadletter` discards them."""

    class Meta:
        proxy = True
        default_permissions = ("view", "change", "delete")
        verbose_name = _("dead letter")
        verbose_name_plural = _("dead letters")


class Decision(models.Model):
    """A decision that is registered in the admin: among which options, for what, how, and in which state it is.

    `view_decision` sees its page, `change_decision` starts, stops, declares and archives. It is never deleted, so that
    its history remains.
    """

    store = models.CharField(pgettext_lazy("of counts", "store"), max_length=100, default=DEFAULT_STORE)
    counter = models.CharField(_("counter"), max_length=255)
    name = models.CharField(_("name"), max_length=150, blank=True)
    path = models.CharField(max_length=450, editable=False)
    title = models.CharField(_("title"), max_length=200, blank=True)
    options = models.JSONField(_("options"), default=list)
    control = models.CharField(_("control"), max_length=255, blank=True)
    formula = models.CharField(_("formula"), max_length=500, default=DEFAULT)
    minimize = models.BooleanField(_("less is better"), default=False)
    policy = models.CharField(_("policy"), max_length=20, default=DEFAULT_POLICY)
    settings = models.JSONField(_("settings of the policy"), default=dict, blank=True)
    floor = models.FloatField(pgettext_lazy("of a decision", "floor"), default=0.0)
    uniform = models.FloatField(_("uniform share"), null=True, blank=True)
    burn_in = models.PositiveIntegerField(_("burn-in"), default=0)
    dimensions = models.JSONField(_("dimensions"), default=list, blank=True)
    pairs = models.BooleanField(_("pairs of dimensions"), default=False)
    period = models.CharField(_("period"), max_length=100, blank=True)
    since = models.DateTimeField(_("since"), null=True, blank=True)
    hold = models.PositiveIntegerField(pgettext_lazy("of a decision", "hold"), default=int(HOLD_SECONDS))
    window = models.PositiveIntegerField(pgettext_lazy("of a decision", "window"), default=int(WINDOW_SECONDS))
    guardrails = models.JSONField(_("guardrails"), default=list, blank=True)
    state = models.CharField(max_length=10, default="draft", editable=False)
    winner = models.CharField(max_length=255, blank=True, editable=False)
    started_at = models.DateTimeField(null=True, editable=False)
    ended_at = models.DateTimeField(null=True, editable=False)
    archived = models.BooleanField(default=False, editable=False)

    class Meta:
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        default_permissions = ("add", "change", "view")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["store", "path"],
                name="hailwhale_one_of_a_counter",
                violation_error_message=_("There is a decision with this counter already."),
            )
        ]

    def __str__(self) -> str:
        return self.title or self.path.replace("/", " / ")

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.path = str(counter_of(self.counter, self.name))
        super().save(*args, **kwargs)

    def clean(self) -> None:
        super().clean()
        try:
            self.path = str(counter_of(self.counter, self.name))
            self.registration()
        except InvalidInput as error:
            field = _FIELD_OF.get(error.field, error.field)
            shown = field in {one.name for one in self._meta.fields if one.editable}
            raise ValidationError({field if shown else NON_FIELD_ERRORS: str(error)}) from error

    def validate_constraints(self, exclude: Any = None) -> None:
        super().validate_constraints(set(exclude or ()) - {"path"})

    def registration(self) -> Registration:
        """As the rest of hailwhale knows it. Raises `InvalidInput` that names the field."""
        names = ("formula", "minimize", "policy", "settings", "floor", "uniform", "burn_in", "dimensions", "pairs")
        names += ("period", "since", "hold", "window", "guardrails", "control", "state", "winner", "title", "store")
        found = registration(
            self.counter, self.name, options=self.options, **{name: getattr(self, name) for name in names}
        )
        begun, ended = (None if at is None else at.timestamp() for at in (self.started_at, self.ended_at))
        return replace(found, started=begun, ended=ended, archived=self.archived, id=self.pk)

    # What becomes of it; each is written down.

    def start(self, who: str) -> None:
        """Decide for visitors from now on; an archived one is in the list again, for nothing runs out of sight."""
        now = timezone.now()
        self._turn("running", who, started_at=self.started_at or now, ended_at=None, winner="", archived=False)

    def stop(self, who: str) -> None:
        self._turn("stopped", who, ended_at=timezone.now())

    def declare(self, winner: str, who: str) -> None:
        """Let everybody have this option from now on. Raises `InvalidInput` where it is none."""
        if winner not in self.options:
            raise InvalidInput("winner", winner, f"use one of the options, {', '.join(self.options[:10])}")
        self._turn("won", who, ended_at=self.ended_at or timezone.now(), winner=winner)

    def archive(self, who: str, archived: bool = True) -> None:
        """Keep it out of sight, or in it again; nothing else changes. Raises `InvalidInput` of one that runs."""
        if self.state == "running":
            raise InvalidInput("state", self.state, "stop it first, or declare a winner")
        self._change(who, "archived" if archived else "taken out of the archive", archived=archived)

    def _turn(self, state: str, who: str, **changes: datetime | str | bool | None) -> None:
        what = f"{self.state} → {state}" + (f", winner {changes['winner']}" if changes.get("winner") else "")
        self._change(who, what, state=state, **changes)

    def _change(self, who: str, what: str, **changes: Any) -> None:
        for name, value in changes.items():
            setattr(self, name, value)
        with transaction.atomic(using=self._state.db):
            self.save(update_fields=list(changes))
            self.note(who, what)

    def note(self, who: str, what: str) -> None:
        DecisionChange.objects.using(self._state.db).create(decision=self, who=who[:200], what=what)


_FIELD_OF: Mapping[str, str] = {"pk": "counter", "decision": "name", "tolerated": "guardrails"}


class DecisionChange(models.Model):
    """Who changed what of a decision, and when."""

    decision = models.ForeignKey(Decision, models.CASCADE, related_name="changes")
    at = models.DateTimeField(default=timezone.now)
    who = models.CharField(max_length=200)
    what = models.TextField()

    class Meta:
        ordering = ("-at", "-id")
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.who}: {self.what}"


for _changed in (post_save, post_delete):
    _changed.connect(forget, sender=Decision, dispatch_uid=f"hailwhale {_changed}")
