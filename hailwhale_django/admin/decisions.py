"""Decisions in Django's admin: a list, for each a page that says what to do now and why, and a form to register one."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from .. import decisions
from ..connection import pod
from ..dashboards.decision import decision_page
from ..dashboards.decisions import DECISIONS_OF_A_LIST, ListedDecision, listed, unread
from ..engine.errors import HailWhaleError, InvalidInput, StoreUnavailable
from ..models import Decision
from ..registration import Registration
from .decision_form import DecisionForm
from .storepages import StorePages

TEMPLATES = "admin/hailwhale_django/decision"


class DecisionAdmin(StorePages):
    """Lists decisions, of the database and of the code; a page for each, and a form for those of the database."""

    form = DecisionForm
    fieldsets = (
        (None, {"fields": ["title", "counter", "name", "options", "control"]}),
        (_("What for"), {"fields": ["formula", "minimize", "guardrails"]}),
        (_("How"), {"fields": ["policy", "settings", "dimensions", "pairs", "uniform", "floor", "burn_in"]}),
        (_("How long"), {"classes": ["collapse"], "fields": ["hold", "window", "period", "since", "store"]}),
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super(StorePages, self).has_add_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        own = [
            path("", self.page(self.list_view), name=self.url_name("changelist")),
            path("<int:number>/", self.page(self.decision_view, "POST"), name=self.url_name("page")),
            path("in-code/<str:store>/<path:counter>/", self.page(self.coded_view), name=self.url_name("coded")),
        ]
        return own + super().get_urls()

    # Pages

    def list_view(self, request: HttpRequest) -> HttpResponseBase:
        """Those that are not archived, or those that are."""
        archived = "archived" in request.GET
        rows = list(Decision.objects.filter(archived=archived).order_by("title", "path")[:DECISIONS_OF_A_LIST])
        known = {(row.store, row.path) for row in Decision.objects.only("store", "path")}
        coded = (
            [] if archived else [one for one in decisions.registered() if (one.store, str(one.counter)) not in known]
        )
        shown, problems = [], []
        for row in rows:
            try:
                shown.append(row.registration())
            except InvalidInput as error:
                problems.append((row, self._change_link(row), error))
        found, away = self._listed([*shown, *coded])
        context = {
            "title": self.opts.verbose_name_plural,
            "decisions": found,
            "problems": problems,
            "away": away,
            "archived": archived,
            "has_archived": archived or Decision.objects.filter(archived=True).exists(),
            "may_add": self.has_add_permission(request),
        }
        return self.render_page(request, "list", context)

    def decision_view(self, request: HttpRequest, number: int) -> HttpResponseBase:
        """A decision of the database; what is posted changes its state."""
        row = Decision.objects.filter(pk=number).first()
        if row is None:
            raise Http404
        if request.method == "POST":
            return self._act(request, row)
        may = self.has_change_permission(request, row)
        context = {"row": row, "may_change": may, "changes": row.changes.all()[:50], "form": self._change_link(row)}
        return self._shown(request, row.registration(), context)

    def coded_view(self, request: HttpRequest, store: str, counter: str) -> HttpResponseBase:
        """A decision that is registered in code: there is nothing to press."""
        for one in decisions.registered():
            if one.store == store and str(one.counter) == counter:
                return self._shown(request, one, {})
        raise Http404

    def _shown(self, request: HttpRequest, one: Registration, context: dict[str, Any]) -> HttpResponse:
        page = decision_page(one, pod(one.store), decisions.question_for, request.GET.get("policy", ""))
        return self.render_page(request, "decision", {"page": page, "title": page.title, **context})

    def _listed(self, shown: list[Registration]) -> tuple[list[ListedDecision], str]:
        """Lines of the list, and what is wrong where the store is away."""
        found, away = [], ""
        for one in shown:
            link = self._link(one)
            try:
                found.append(unread(one, link) if away else listed(one, pod(one.store), decisions.question_for, link))
            except HailWhaleError as error:
                found.append(unread(one, link))
                away = str(error) if isinstance(error, StoreUnavailable) else ""
        return found, away

    def render_page(self, request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
        return self.render(request, name, context, folder=TEMPLATES)

    # What is done

    def _act(self, request: HttpRequest, row: Decision) -> HttpResponse:
        """Start, stop, declare, archive: asked for once more, then done and written down."""
        if not self.has_change_permission(request, row):
            raise PermissionDenied
        action, winner = request.POST.get("action", ""), request.POST.get("winner", "")
        asked = question_of(action, row, winner)
        if asked is None or (action == "declare" and winner not in row.options):
            messages.warning(request, gettext("Nothing was done: say what, and of a winner which."))
        elif "sure" not in request.POST:
            context = {"title": str(row), "row": row, "action": action, "winner": winner, "asked": asked}
            return self.render_page(request, "confirm", context)
        else:
            self._do(request, row, action, winner)
        return HttpResponseRedirect(
            reverse(f"admin:{self.url_name('page')}", args=[row.pk], current_app=self.admin_site.name)
        )

    def _do(self, request: HttpRequest, row: Decision, action: str, winner: str) -> None:
        who = request.user.get_username()
        acts = {
            "start": lambda: row.start(who),
            "stop": lambda: row.stop(who),
            "declare": lambda: row.declare(winner, who),
            "archive": lambda: row.archive(who),
            "unarchive": lambda: row.archive(who, archived=False),
        }
        try:
            acts[action]()
        except InvalidInput as error:
            messages.error(request, str(error))
        else:
            messages.success(request, gettext("Done. It holds everywhere within ten seconds."))

    # The form

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        number = unquote(object_id)
        link = self._page_link(int(number)) if number.isdecimal() else ""
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "page_link": link})

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        before = Decision.objects.get(pk=obj.pk) if change else None
        super().save_model(request, obj, form, change)
        who = request.user.get_username()
        told = "registered" if before is None else difference(before, obj, form.changed_data)
        if told:
            obj.note(who, told)

    def response_post_save_add(self, request: HttpRequest, obj: Any) -> HttpResponseRedirect:
        return HttpResponseRedirect(self._page_link(obj.pk))

    def response_post_save_change(self, request: HttpRequest, obj: Any) -> HttpResponseRedirect:
        return HttpResponseRedirect(self._page_link(obj.pk))

    def _link(self, one: Registration) -> str:
        if one.id is not None:
            return self._page_link(one.id)
        name = f"admin:{self.url_name('coded')}"
        return reverse(name, args=[one.store, str(one.counter)], current_app=self.admin_site.name)

    def _page_link(self, number: int) -> str:
        return reverse(f"admin:{self.url_name('page')}", args=[number], current_app=self.admin_site.name)

    def _change_link(self, row: Decision) -> str:
        return reverse(f"admin:{self.url_name('change')}", args=[row.pk], current_app=self.admin_site.name)


def question_of(action: str, row: Decision, winner: str) -> str | None:
    """What is asked before something is done; `None` where that cannot be done now."""
    running = row.state == "running"
    control = row.control or (row.options[0] if row.options else "")
    asked = {
        "start": not running and gettext("Start it? Visitors are decided for from now on."),
        "stop": running and gettext("Stop it? Everybody gets %(option)s from now on.") % {"option": control},
        "declare": gettext("Declare %(option)s the winner? Everybody gets it from now on.") % {"option": winner},
        "archive": not running
        and not row.archived
        and gettext("Archive it? It leaves the list; nothing else changes."),
        "unarchive": row.archived and gettext("Take it out of the archive? It is in the list again."),
    }
    return asked.get(action) or None


def difference(before: Decision, after: Decision, changed: list[str]) -> str:
    """What was changed, in words: a line for each field."""
    values = ((name, getattr(before, name), getattr(after, name)) for name in changed)
    return "\n".join(f"{name}: {_told(old)} → {_told(new)}" for name, old, new in values if old != new)


def _told(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "–"
    if isinstance(value, dict):
        return json.dumps(value)
    return "–" if value in (None, "") else str(value)
