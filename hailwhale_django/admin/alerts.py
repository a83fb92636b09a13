"""Alerts in Django's admin: a form to set them up, how they are, and a button to try them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from django.contrib import admin, messages
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils import formats, timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from ..alerts import alerting, explaining, wording
from ..alerts.lookout import ITSELF, Lookout
from ..dashboards import writing
from ..dashboards.explained import region_name
from ..dashboards.whystate import WhyLink, asked
from ..engine.domain.window import Window
from ..engine.errors import HailWhaleError, InvalidInput
from ..engine.explain.region import Region
from ..models import Alert, AlertEvent
from .alert_form import AlertForm
from .saving import save_shown
from .storepages import why_link

VIEW_COUNTER = "hailwhale_django.view_counter"

TEMPLATES = "admin/hailwhale_django/alert"

SHOWN_EVENTS = 50
SHOWN_READINGS = 200
TRIED_AT_ONCE = 20


class WatchfulAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Who sets one up must be allowed to see what it tells."""

    tells_of = ""
    deed = ""
    deed_needs_post = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and self._may_see(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and self._may_see(request)

    def _may_see(self, request: HttpRequest) -> bool:
        user: Any = request.user
        return bool(user.has_perm(self.tells_of))

    def get_urls(self) -> list[URLPattern]:
        allowed = require_POST if self.deed_needs_post else require_GET
        view = self.admin_site.admin_view(allowed(self.deed_view))
        return [path(f"<int:number>/{self.deed}/", view, name=self._url_name(self.deed)), *super().get_urls()]

    def deed_view(self, request: HttpRequest, number: int) -> HttpResponseBase:
        """What a button does, for those who may change the row."""
        row = self.get_queryset(request).filter(pk=number).first()
        if row is None:
            raise Http404
        if not self.has_change_permission(request, row):
            raise PermissionDenied
        return self.do(request, row)

    def do(self, request: HttpRequest, row: Any) -> HttpResponseBase:
        raise NotImplementedError

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        row = self.get_object(request, object_id)
        context = {} if row is None else self.about(request, row)
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **context})

    def about(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """What the page of a row says besides its form."""
        may = self.has_change_permission(request, row)
        return {"deed_link": self._link(self.deed, row.pk) if may else "", "row": row}

    def _link(self, view: str, number: int) -> str:
        return reverse(f"admin:{self._url_name(view)}", args=[number], current_app=self.admin_site.name)

    def _url_name(self, view: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{view}"


class AlertAdmin(WatchfulAdmin):
    """Alerts. `Try now` says what one sees, and tells nobody."""

    form = AlertForm
    tells_of = VIEW_COUNTER
    deed = "try"
    change_form_template = f"{TEMPLATES}/change_form.html"
    list_display = ("name", "waits_for", "state", "told", "checked_at", "active")
    list_filter = ("active",)
    search_fields = ("name", "counter", "formula")
    actions = ("try_now",)
    fieldsets = (
        (None, {"fields": ["name", "counter", "dimension", "each", "formula"]}),
        (_("When"), {"fields": ["condition", "threshold", "clear_at", "window", "versus", "least", "without_data"]}),
        (_("Whom to tell"), {"fields": ["channel", "recipients", "url", "most_a_day", "active"]}),
        (_("Where"), {"classes": ["collapse"], "fields": ["store"]}),
    )

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """What was remembered of another question says nothing of this one; who looks at it now does so for nothing."""
        if not change:
            obj.owner = request.user
            super().save_model(request, obj, form, change)
        elif {"store", "counter", "dimension", "each", "formula", "condition"} & set(form.changed_data):
            obj.memory, obj.claimed_until = {}, None
            save_shown(obj, form, "memory", "claimed_until")
        else:
            save_shown(obj, form)

    # The list

    @admin.display(description=_("tells when"))
    def waits_for(self, alert: Alert) -> str:
        try:
            return wording.named(_whose(alert), wording.condition(Lookout.of(alert)))
        except InvalidInput as error:
            return str(error)

    @admin.display(description=_("state"))
    def state(self, alert: Alert) -> str:
        return state_of(alert)

    @admin.display(description=_("tells"))
    def told(self, alert: Alert) -> str:
        """Of a webhook the host: the rest of its address is often what lets one in."""
        return urlsplit(alert.url).hostname or "" if alert.channel == "webhook" else ", ".join(alert.recipients)

    @admin.action(description=_("Try now: say what it sees, and tell nobody"), permissions=["change"])
    def try_now(self, request: HttpRequest, chosen: QuerySet[Alert]) -> None:
        for alert in chosen[:TRIED_AT_ONCE]:
            level, text = tried(alert)
            self.message_user(request, f"{alert.name}: {text}", level)

    # The page of one

    def about(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        events = list(row.events.all()[:SHOWN_EVENTS])
        shown = zip(events, self._whys(request, row, events), strict=True)
        return super().about(request, row) | {"state": state_of(row), "events": list(shown)}

    def _whys(self, request: HttpRequest, alert: Alert, events: Sequence[AlertEvent]) -> list[WhyLink | None]:
        """Beside events that can still be explained a link to the page that does."""
        nothing: list[WhyLink | None] = [None] * len(events)
        if not self._may_see(request):
            return nothing
        try:
            lookout = Lookout.of(alert)
        except InvalidInput:
            return nothing
        now = timezone.now().timestamp()
        return [
            self._why(lookout, event.child, explaining.window_at(lookout, event.at.timestamp(), now))
            if explaining.asks_why(lookout, event)
            else None
            for event in events
        ]

    def _why(self, lookout: Lookout, child: str, window: Window | None) -> WhyLink | None:
        """The link to what made a child's number move within a window; `None` on a site without counters."""
        if window is None:
            return None
        whose = lookout.path_of(child)
        try:
            address = why_link(explaining.question_of(lookout, child, window), self.admin_site)
        except NoReverseMatch:
            return None
        return WhyLink(address, asked(lookout.column.title, region_name(Region(whose)) if whose else ""))

    def do(self, request: HttpRequest, row: Any) -> HttpResponse:
        """What it sees now, child by child, and what it would say."""
        request.current_app = self.admin_site.name
        context = {**self.admin_site.each_context(request), "opts": self.opts, "row": row, "title": row.name}
        context |= {"back": self._link("change", row.pk)}
        try:
            seen, lookout = alerting.look(row, timezone.now()), Lookout.of(row)
        except (HailWhaleError, ImproperlyConfigured) as error:
            context["problem"] = str(error)
        else:
            context |= {"condition": wording.condition(lookout), "news": seen.news}
            context |= self._readings(request, lookout, seen) | _spans(lookout)
        return TemplateResponse(request, f"{TEMPLATES}/try.html", context)

    def _readings(self, request: HttpRequest, lookout: Lookout, seen: alerting.Look) -> dict[str, Any]:
        """Those that are on come first."""
        window, now = None, timezone.now().timestamp()
        if self._may_see(request) and explaining.may_be_explained(lookout):
            window = explaining.window_at(lookout, now, now)
        shown = sorted(seen.readings.items(), key=lambda item: (item[0] not in seen.bouts, item[0]))
        rows = [
            (
                child if child != ITSELF else _whole(lookout),
                wording.now(lookout, one),
                child in seen.bouts,
                None if one.value is None else self._why(lookout, child, window),
            )
            for child, one in shown[:SHOWN_READINGS]
        ]
        return {"readings": rows, "more": max(len(shown) - SHOWN_READINGS, 0)}


def state_of(alert: Alert) -> str:
    """`on since Nov 22, 15:47, at 1.85`; of several children how many, and the one that is on for longest."""
    if alert.problem:
        return alert.problem
    bouts = alerting.remembered(alert)
    if not bouts:
        return gettext("all right") if alert.checked_at else gettext("not looked at yet")
    child, bout = min(bouts.items(), key=lambda item: (item[1].since, item[0]))
    since = timezone.localtime(datetime.fromtimestamp(bout.since, UTC))
    words = gettext("on since %(since)s, at %(value)s")
    if bout.value is None:
        words = gettext("on since %(since)s, without data")
    shown = {"since": formats.date_format(since, "SHORT_DATETIME_FORMAT"), "value": _written(alert, bout.value)}
    told = wording.named(child, words % shown)
    more = len(bouts) - 1
    return told + (ngettext(", and %(count)s more", ", and %(count)s more", more) % {"count": more} if more else "")


def _written(alert: Alert, value: float | None) -> str:
    """As its formula's numbers are, if that can still be read."""
    try:
        return Lookout.of(alert).column.text(value)
    except InvalidInput:
        return writing.level(value)


def tried(alert: Alert) -> tuple[int, str]:
    """How bad it is, and what the alert would say."""
    try:
        seen, lookout = alerting.look(alert, timezone.now()), Lookout.of(alert)
    except (HailWhaleError, ImproperlyConfigured) as error:
        return messages.ERROR, str(error)
    if seen.news:
        return messages.WARNING, "; ".join(one.text for one in seen.news[:SHOWN_READINGS])
    own = seen.readings.get(ITSELF)
    return messages.SUCCESS, gettext("nothing to tell") + (f" ({wording.now(lookout, own)})" if own else "")


def _spans(lookout: Lookout) -> dict[str, str]:
    """What is looked at now, by the clocks of the store."""
    period, compare = lookout.window(timezone.now().timestamp())
    compared = "" if compare is None else writing.span(compare)
    return {"span": writing.span(period), "compared": compared, "zone": str(period.zone)}


def _whole(lookout: Lookout) -> str:
    return " / ".join((*lookout.pk, *lookout.dimension))


def _whose(alert: Alert) -> str:
    return " / ".join(filter(None, [alert.counter, alert.dimension]))
