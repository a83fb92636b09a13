"""What people put together to look at: dashboards of panels, saved filters, and notes about what happened when."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from django.conf import settings
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from .conf import DEFAULT_STORE
from .dashboards.spec import DEFAULT_LIMIT, KINDS, MAX_PANELS, STYLES, WIDTHS, BoardSpec, PanelSpec, read_filters
from .engine.domain.paths import pk_of
from .engine.errors import InvalidInput

NEW_PLACE = 10
"""Panels are this far apart, so that one can be put between two others."""


def told_full() -> str:
    """Why a dashboard takes no further panel."""
    return gettext("A dashboard has at most %(count)s panels.") % {"count": MAX_PANELS}


def refused(error: InvalidInput, model: type[models.Model]) -> ValidationError:
    """What the engine will not have, told at the field that it is about."""
    shown = {one.name for one in model._meta.fields if one.editable}
    return ValidationError({error.field if error.field in shown else NON_FIELD_ERRORS: str(error)})


def as_invalid(error: ValidationError, row: models.Model) -> InvalidInput:
    """The first of what a row's own fields will not have, as the engine would say it."""
    field, messages = next(iter(error.message_dict.items()))
    return InvalidInput(field, getattr(row, field, str(row)), messages[0])


class SharedQuerySet(models.QuerySet):  # type: ignore[type-arg]
    """What belongs to somebody, and is shown to others by groups."""

    def visible_to(self, user: Any) -> Self:
        """Those that a user may see who has the permission to view any."""
        if user.is_superuser:
            return self
        mine = Q(everyone=True)
        if user.pk is not None:
            groups = user.groups.all()
            mine |= Q(owner=user.pk) | Q(viewers__in=groups) | Q(editors__in=groups)
        return self.filter(pk__in=self.model._default_manager.filter(mine).values("pk"))

    def changeable_by(self, user: Any) -> Self:
        """Those that a user may change who has the permission to change any: their own, their groups', and nobody's."""
        if user.is_superuser:
            return self
        mine = Q(owner=user) | Q(editors__in=user.groups.all()) | Q(owner=None, editors=None, everyone=True)
        return self.filter(pk__in=self.model._default_manager.filter(mine).values("pk"))


class Dashboard(models.Model):
    """Panels, and what they begin with: a period, what it is compared with, filters.

    With `view_dashboard` a user sees those that are for everybody, their own, and those for their groups; with
    `change_dashboard` they change their own, those of groups that may, and those that are nobody's.
    """

    slug = models.SlugField(_("address"), max_length=100, unique=True)
    title = models.CharField(_("title"), max_length=200)
    description = models.TextField(_("description"), blank=True)
    store = models.CharField(pgettext_lazy("of counts", "store"), max_length=100, default=DEFAULT_STORE)
    period = models.CharField(_("period"), max_length=100, blank=True)
    compare = models.CharField(_("compared with"), max_length=100, blank=True)
    filters = models.JSONField(_("filters"), default=list, blank=True)
    place = models.PositiveIntegerField(_("place in the list"), default=NEW_PLACE)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("owner")
    )
    everyone = models.BooleanField(_("for everybody who may see dashboards"), default=True)
    viewers = models.ManyToManyField(
        "auth.Group", blank=True, related_name="+", verbose_name=_("groups that may see it")
    )
    editors = models.ManyToManyField(
        "auth.Group", blank=True, related_name="+", verbose_name=_("groups that may change it")
    )
    changed_at = models.DateTimeField(auto_now=True)

    objects = SharedQuerySet.as_manager()

    class Meta:
        verbose_name = _("dashboard")
        verbose_name_plural = _("dashboards")
        ordering = ("place", "title")

    def __str__(self) -> str:
        return self.title

    def clean(self) -> None:
        super().clean()
        try:
            self.spec([])
        except InvalidInput as error:
            raise refused(error, type(self)) from error

    @property
    def is_full(self) -> bool:
        """Whether it has as many panels as a document of it may have."""
        return self.panels.count() >= MAX_PANELS

    def spec(self, panels: list[PanelSpec] | None = None) -> BoardSpec:
        """As pages and documents know it. Raises `InvalidInput` that names the field."""
        if panels is None:
            panels = [panel.spec() for panel in self.panels.all()]
        names = ("slug", "title", "description", "store", "period", "compare", "filters", "place")
        return BoardSpec.of({name: getattr(self, name) for name in names}, panels)


class Panel(models.Model):
    """One part of a dashboard; what its fields mean is in `dashboards.spec`."""

    dashboard = models.ForeignKey(Dashboard, models.CASCADE, related_name="panels", verbose_name=_("dashboard"))
    place = models.PositiveIntegerField(_("place"), default=NEW_PLACE)
    kind = models.CharField(_("kind"), max_length=10, choices=KINDS, default="table")
    title = models.CharField(_("title"), max_length=200, blank=True)
    counter = models.CharField(_("counter"), max_length=255, blank=True)
    dimension = models.CharField(_("dimension"), max_length=500, blank=True)
    counters = models.BooleanField(_("of child counters"), default=False)
    formulas = models.JSONField(_("formulas"), default=list, blank=True)
    order = models.CharField(pgettext_lazy("of rows", "order"), max_length=500, blank=True)
    limit = models.PositiveSmallIntegerField(_("rows or lines"), default=DEFAULT_LIMIT)
    style = models.CharField(_("style"), max_length=10, choices=STYLES, default="line")
    period = models.CharField(_("period of its own"), max_length=100, blank=True)
    text = models.TextField(_("text"), blank=True)
    width = models.PositiveSmallIntegerField(_("width"), choices=WIDTHS, default=6)

    class Meta:
        verbose_name = _("panel")
        verbose_name_plural = _("panels")
        ordering = ("place", "id")
        default_permissions = ()

    def __str__(self) -> str:
        return self.title or f"{self.get_kind_display()} {self.counter}".strip()

    def clean(self) -> None:
        super().clean()
        if self._state.adding and self.dashboard_id and self.dashboard.is_full:
            raise ValidationError(told_full())
        try:
            self.spec()
        except InvalidInput as error:
            raise refused(error, type(self)) from error

    def spec(self) -> PanelSpec:
        """Raises `InvalidInput` that names the field."""
        return PanelSpec.of({name: getattr(self, name) for name in PanelSpec.NAMES}, key=str(self.pk or ""))


class SegmentQuerySet(models.QuerySet):  # type: ignore[type-arg]
    """Saved filters: one's own, nobody's, and those of others that are for everybody."""

    def visible_to(self, user: Any) -> Self:
        """Those that a user may see who has the permission to view any."""
        if user.is_superuser:
            return self
        mine = Q(everyone=True) if user.pk is None else Q(everyone=True) | Q(owner=user.pk)
        return self.filter(mine)


class Segment(models.Model):
    """A saved filter: values that are looked at together, under a name."""

    name = models.CharField(_("name"), max_length=100)
    store = models.CharField(pgettext_lazy("of counts", "store"), max_length=100, default=DEFAULT_STORE)
    filters = models.JSONField(_("filters"), default=list)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("owner")
    )
    everyone = models.BooleanField(_("for everybody who may see segments"), default=True)

    objects = SegmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("segment")
        verbose_name_plural = _("segments")
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    def is_changeable_by(self, user: Any) -> bool:
        """Whether a user may change it who has the permission to change any: their own, and nobody's."""
        return user.is_superuser or self.owner_id in (None, user.pk)

    def clean(self) -> None:
        super().clean()
        try:
            if not read_filters(self.filters):
                raise InvalidInput("filters", self.filters, "name at least one value, e.g. country/US")
        except InvalidInput as error:
            raise refused(error, type(self)) from error


class Annotation(models.Model):
    """What happened at a moment, or in a span of time: a deploy, a campaign. Graphs of its counter show it."""

    at = models.DateTimeField(pgettext_lazy("of an annotation", "at"), default=timezone.now)
    until = models.DateTimeField(_("until"), null=True, blank=True)
    text = models.CharField(_("text"), max_length=500)
    link = models.URLField(_("link"), blank=True)
    store = models.CharField(pgettext_lazy("of counts", "store"), max_length=100, default=DEFAULT_STORE)
    counter = models.CharField(
        _("counter"), max_length=255, blank=True, help_text=_("Empty: on graphs of all counters")
    )
    who = models.CharField(pgettext_lazy("of an annotation", "by"), max_length=200, blank=True, editable=False)

    class Meta:
        verbose_name = _("annotation")
        verbose_name_plural = _("annotations")
        ordering = ("-at", "-id")
        indexes: ClassVar = [models.Index(fields=["store", "at"], name="hailwhale_note_at")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(until=None) | Q(until__gte=models.F("at")),
                name="hailwhale_note_span",
                violation_error_message=_("It ends before it begins."),
            )
        ]

    def __str__(self) -> str:
        return f"{timezone.localtime(self.at):%Y-%m-%d %H:%M} {self.text}"

    def clean(self) -> None:
        super().clean()
        if self.counter:
            try:
                self.counter = str(pk_of(self.counter))
            except InvalidInput as error:
                raise ValidationError({"counter": str(error)}) from error
