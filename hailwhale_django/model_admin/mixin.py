"""What a project's own admin of a model inherits from, to show what was counted on its objects."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.utils import quote, unquote
from django.contrib.admin.views.main import ChangeList
from django.core import checks
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from ..admin.dashboard_rights import user_of
from ..admin.storepages import counter_link, why_link
from ..dashboards import pages
from ..dashboards.state import DEFAULT_PERIOD, State
from ..dashboards.whystate import WhyAddress, WhyState
from ..engine.domain.paths import Path
from ..engine.domain.period import parse_period
from ..engine.domain.query import Order
from ..engine.errors import HailWhaleError, InvalidInput, StoreUnavailable
from ..spreadsheet import spreadsheet
from ..whale import Whale
from .changelist import counted_change_list
from .columns import Column, columns_of, has_unfold
from .counted import Counted
from .stats import counting, stats_state

VIEW_COUNTER = "hailwhale_django.view_counter"
TEMPLATES = "admin/hailwhale_django/model"


class HailWhaleAdminMixin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Columns of formulas in the change list, which sort it, and a page of numbers for each object.

    They are shown to those who may `hailwhale_django.view_counter`. An object is the child counter
    `[*hailwhale_parent, str(obj.<hailwhale_attribute>)]`, by default what a `HailWhaleModel` counts on.
    """

    hailwhale_columns: ClassVar[Sequence[Any]] = ()
    """Formulas, or pairs of a formula and a title."""

    hailwhale_period: ClassVar[str] = DEFAULT_PERIOD
    hailwhale_ordering: ClassVar[str] = ""
    """One of the columns' formulas, by which the list is ordered until a heading is clicked: `"-revenue/visitors"`."""

    hailwhale_parent: ClassVar[str | Sequence[str] | None] = None
    hailwhale_attribute: ClassVar[str | None] = None
    hailwhale_store: ClassVar[str | None] = None

    # -- what a project may say otherwise

    def get_hailwhale_columns(self, request: HttpRequest) -> Sequence[Any]:
        return self.hailwhale_columns

    def hailwhale_counter(self, obj: Model) -> Sequence[str]:
        """The counter of an object's page of numbers."""
        return self.hailwhale_counted().counter(obj)

    def has_hailwhale_permission(self, request: HttpRequest) -> bool:
        user: Any = request.user
        return bool(user.has_perm(VIEW_COUNTER))

    # -- what is counted

    def hailwhale_counted(self) -> Counted:
        parent = self.hailwhale_parent or self.model.__name__
        return Counted(
            self.model,
            Path((parent,) if isinstance(parent, str) else parent),
            self.hailwhale_attribute or getattr(self.model, "hailwhale_attribute", "pk"),
            self.hailwhale_store or getattr(self.model, "hailwhale_store", Whale.store),
        )

    def get_hailwhale_ordering(self) -> Order | None:
        return Order.parse(self.hailwhale_ordering) if self.hailwhale_ordering else None

    def _columns(self, request: HttpRequest) -> list[Column]:
        ranked = self.hailwhale_counted().can_be_ranked
        return columns_of(self.get_hailwhale_columns(request), can_be_ranked=ranked)

    # -- the list

    def get_list_display(self, request: HttpRequest) -> Sequence[Any]:
        displayed = super().get_list_display(request)
        return [*displayed, *self._columns(request)] if self.has_hailwhale_permission(request) else displayed

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return counted_change_list(super().get_changelist(request, **kwargs))

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponseBase:
        response = super().changelist_view(request, extra_context)
        if isinstance(response, TemplateResponse) and (response.context_data or {}).get("cl"):
            _extend(response, "change_list")
        return response

    # -- an object

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_safe(self.hailwhale_view))
        return [path("<path:object_id>/stats/", view, name=self._url_name()), *super().get_urls()]

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = super().render_change_form(request, context, *args, **kwargs)
        obj = context.get("original")
        if obj is not None and isinstance(response, TemplateResponse) and self.has_hailwhale_permission(request):
            _extend(response, "change_form", hailwhale_stats=self._stats_url(obj))
        return response

    def hailwhale_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """The page of numbers; with `format=csv` its table as a file."""
        obj = self.get_object(request, unquote(object_id))
        if not (self.has_hailwhale_permission(request) and self.has_view_or_change_permission(request, obj)):
            raise PermissionDenied
        if obj is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        try:
            return self._stats(request, obj)
        except HailWhaleError as error:
            away = isinstance(error, StoreUnavailable)
            status = 503 if away else 400 if isinstance(error, InvalidInput) else 500
            title = gettext("The counts cannot be read now") if status >= 500 else gettext("This cannot be answered")
            return self._render(request, obj, "unavailable", status, error=error, away=away, title=title)

    def _stats(self, request: HttpRequest, obj: Model) -> HttpResponseBase:
        pk, counted = Path(tuple(self.hailwhale_counter(obj))), self.hailwhale_counted()
        formulas = [str(column.formula) for column in self._columns(request)]
        state = stats_state(pk, counted.store, request.GET, self.hailwhale_period, formulas)

        def link(other: State) -> str:
            return self._link(obj, pk, other)

        if "apply" in request.GET:
            return HttpResponseRedirect(link(state))
        if request.GET.get("format") == "csv" and (answer := pages.counter_sheet(state, counted.pod)) is not None:
            return spreadsheet(answer)
        page = pages.counter_page(state, counted.pod, link, self._why_link(request))
        if page is None:
            return self._render(request, obj, "uncounted", title=str(obj), code=counting(pk, counted.store, formulas))
        crumbs = page.crumbs[len(pk) - 1 :]
        return self._render(request, obj, "stats", page=page, title=str(obj), crumbs=crumbs)

    def _link(self, obj: Model, pk: Path, state: State) -> str:
        """A view of the object's counter is on its page; other counters have pages of their own, if the site has."""
        if state.pk == pk:
            return self._stats_url(obj) + state.link(page=state.page)
        try:
            return counter_link(state, self.admin_site)
        except NoReverseMatch:
            return ""

    def _why_link(self, request: HttpRequest) -> WhyAddress:
        """The pages that explain changes are those of counters: for who may look at them, if the site has them."""
        if not user_of(request).has_perm(VIEW_COUNTER):
            return lambda _: ""

        def link(state: WhyState) -> str:
            try:
                return why_link(state, self.admin_site)
            except NoReverseMatch:
                return ""

        return link

    def _stats_url(self, obj: Model) -> str:
        return reverse(f"admin:{self._url_name()}", args=[quote(obj.pk)], current_app=self.admin_site.name)

    def _url_name(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_stats"

    def _render(
        self, request: HttpRequest, obj: Model, name: str, status: int = 200, **context: Any
    ) -> TemplateResponse:
        request.current_app = self.admin_site.name
        context = {**self.admin_site.each_context(request), "opts": self.opts, "object": obj, **context}
        context["has_unfold"] = has_unfold()
        # Rendered here, so that what goes wrong while reading is still told.
        return TemplateResponse(request, f"{TEMPLATES}/{name}.html", context, status=status).render()

    # -- what is wrong

    def check(self, **kwargs: Any) -> list[checks.CheckMessage]:
        return [*super().check(**kwargs), *self._problems()]

    def _problems(self) -> list[checks.CheckMessage]:
        """hailwhale.A001: what this admin says will not do."""
        try:
            formulas = [column.formula for column in columns_of(self.hailwhale_columns, can_be_ranked=True)]
            parse_period(self.hailwhale_period, now=datetime.now(UTC), zone=UTC)
            order = self.get_hailwhale_ordering()
            if order is not None and order.formula not in formulas:
                raise InvalidInput("hailwhale_ordering", self.hailwhale_ordering, "order by one of the columns")
            if order is not None and order.aspect != "value":
                raise InvalidInput("hailwhale_ordering", self.hailwhale_ordering, "order by a column's value")
        except (InvalidInput, TypeError, ValueError) as error:
            hint = "See docs/model-admin.md for what columns, period and ordering can be."
            return [checks.Error(f"{type(self).__name__}: {error}", hint=hint, obj=type(self), id="hailwhale.A001")]
        return []


def _extend(response: TemplateResponse, name: str, **context: Any) -> None:
    """Add to the page that would be shown, whichever template it has."""
    given = response.context_data or {}
    parent = response.resolve_template(response.template_name)
    response.context_data = {**given, **context, "hailwhale_parent": parent, "has_unfold": has_unfold()}
    response.template_name = f"{TEMPLATES}/{name}.html"
