"""Dashboards in Django's admin: a list of them, a page for each, and a form for what they begin with."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import URLPattern, path, re_path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from .. import boards, documents
from ..connection import pod
from ..dashboard_models import NEW_PLACE, Dashboard, Segment
from ..dashboards.asking import Rights
from ..dashboards.board import Sources, board_page, board_sheet
from ..dashboards.boardstate import BoardState
from ..dashboards.spec import read_filters
from ..engine.errors import InvalidInput, StoreUnavailable
from ..registration import Registration
from ..spreadsheet import spreadsheet
from .dashboard_form import DashboardForm
from .dashboard_rights import VIEW_COUNTER, may_change, may_see, user_of
from .storepages import StorePages

TEMPLATES = "admin/hailwhale_django/dashboard"
VIEW_DECISION = "hailwhale_django.view_decision"


class DashboardAdmin(StorePages):
    """Lists dashboards, shows each, and changes those that a user may change."""

    form = DashboardForm
    filter_horizontal = ("viewers", "editors")
    prepopulated_fields = {"slug": ["title"]}
    fieldsets = (
        (None, {"fields": ["title", "slug", "description"]}),
        (_("What it begins with"), {"fields": ["period", "compare", "filters"]}),
        (_("Who may see it"), {"fields": ["everyone", "owner", "viewers", "editors"]}),
        (_("Where"), {"classes": ["collapse"], "fields": ["place", "store"]}),
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super(StorePages, self).has_add_permission(request) and user_of(request).has_perm(VIEW_COUNTER)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_view_permission(request, obj) and (obj is None or may_see(request.user, obj))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj is None:
            return super().has_change_permission(request) and user_of(request).has_perm(VIEW_COUNTER)
        return may_change(request.user, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and (obj is None or may_change(request.user, obj))

    def get_queryset(self, request: HttpRequest) -> Any:
        return Dashboard.objects.visible_to(request.user)

    def get_urls(self) -> list[URLPattern]:
        own = [
            path("", self.page(self.list_view), name=self.url_name("changelist")),
            path("first/", self.page(self.first_view), name=self.url_name("first")),
            path("import/", self.page(self.import_view, "POST"), name=self.url_name("import")),
            path("<slug:slug>/file/", self.page(self.export_view), name=self.url_name("file")),
            path("<slug:slug>/segment/", self.page(self.segment_view, "POST"), name=self.url_name("segment")),
            # Not "add", and not a number, which are the forms'.
            re_path(
                r"^(?!add/)(?P<slug>(?=[^/]*[^0-9/])[-a-zA-Z0-9_]+)/$",
                self.page(self.board_view),
                name=self.url_name("page"),
            ),
        ]
        return own + super().get_urls()

    # Pages

    def list_view(self, request: HttpRequest) -> HttpResponseBase:
        rows = list(self.get_queryset(request).select_related("owner"))
        context = {
            "title": self.opts.verbose_name_plural,
            "boards": [(row, self.board_link(row)) for row in rows],
            "may_add": self.has_add_permission(request),
        }
        return self.render_page(request, "list", context)

    def first_view(self, request: HttpRequest) -> HttpResponseBase:
        """The dashboard to begin with: the first in the list."""
        first = self.get_queryset(request).first()
        return HttpResponseRedirect(self.board_link(first) if first else self.view_link("dashboard"))

    def board_view(self, request: HttpRequest, slug: str) -> HttpResponseBase:
        board = self._board(request, slug)
        spec, state = boards.spec_of(board), BoardState.of_link(request.GET)
        rights, sources = self._rights(request, board), self._sources(request, board)
        if sheet := request.GET.get("sheet"):
            answer = board_sheet(spec, state, pod(board.store), rights, sources, sheet)
            if answer is None:
                raise Http404
            return spreadsheet(answer)
        try:
            segments = boards.segments_of(board, request.user)
            page = board_page(spec, state, pod(board.store), rights, sources, segments=segments)
            status = 200
        except StoreUnavailable as error:
            page, status = boards.page_without(board, spec, state, rights, str(error)), 503
        context = {"page": page, "title": page.title, "board": board, **self._links(request, board, page)}
        return self.render_page(request, "dashboard", context, status)

    def export_view(self, request: HttpRequest, slug: str) -> HttpResponseBase:
        """The dashboard as a document, to be kept in a repository or loaded elsewhere."""
        board = self._board(request, slug)
        if not may_change(request.user, board):
            raise PermissionDenied
        response = HttpResponse(documents.write([documents.dump(board)], "json"), content_type="application/json")
        response["Content-Disposition"] = f'attachment; filename="{slug}.json"'
        return response

    def import_view(self, request: HttpRequest) -> HttpResponseBase:
        """Load the dashboards of a file; those that are there already only if they may be changed."""
        file = request.FILES.get("file")
        if request.method != "POST" or not self.has_add_permission(request):
            raise PermissionDenied
        if file is None or file.size > documents.MAX_BYTES:
            messages.error(request, gettext("Choose a file of at most a megabyte."))
        else:
            self._load(request, str(file.name), file.read())
        return HttpResponseRedirect(self.view_link("dashboard"))

    def _load(self, request: HttpRequest, name: str, content: bytes) -> None:
        try:
            found = documents.read(content, name)
            with transaction.atomic():
                told = [self._load_one(request, one) for one in found]
        except InvalidInput as error:
            messages.error(request, str(error))
        else:
            for text in told:
                messages.success(request, text)

    def _load_one(self, request: HttpRequest, one: documents.Document) -> str:
        """Load it, and say what became of it. The slug is asked about as it is loaded, not as it is written."""
        slug = one.spec().slug
        there = Dashboard.objects.filter(slug=slug).first()
        if there is not None and not may_change(request.user, there):
            raise InvalidInput("slug", slug, gettext("there is such a dashboard, and you may not change it"))
        board, outcome = documents.load(one.given, user_of(request))
        said = {
            "created": gettext("%(title)s is made."),
            "changed": gettext("%(title)s is changed."),
            "unchanged": gettext("%(title)s is as it was."),
        }
        return said[outcome] % {"title": board}

    def segment_view(self, request: HttpRequest, slug: str) -> HttpResponseBase:
        """Save filters under a name, then show the dashboard with them."""
        board = self._board(request, slug)
        if not user_of(request).has_perm("hailwhale_django.add_segment"):
            raise PermissionDenied
        segment = Segment(
            name=request.POST.get("name", "").strip(),
            store=board.store,
            filters=request.POST.getlist("filters"),
            owner=user_of(request),
        )
        try:
            segment.full_clean()
            segment.filters = [str(one) for one in read_filters(segment.filters)]
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
        else:
            segment.save()
            messages.success(request, gettext("The segment %(name)s is saved.") % {"name": segment.name})
        query = request.POST.get("next", "")
        return HttpResponseRedirect(self.board_link(board) + (query if query.startswith("?") else ""))

    def render_page(self, request: HttpRequest, name: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
        return self.render(request, name, context, status, folder=TEMPLATES)

    def _board(self, request: HttpRequest, slug: str) -> Dashboard:
        board = self.get_queryset(request).filter(slug=slug).first()
        if board is None:
            raise Http404
        return board  # type: ignore[no-any-return]

    def _rights(self, request: HttpRequest, board: Dashboard) -> Rights:
        explores = user_of(request).has_perm(VIEW_COUNTER)
        return Rights(explores=explores, changes=may_change(request.user, board))

    def _sources(self, request: HttpRequest, board: Dashboard) -> Sources:
        may = user_of(request).has_perm(VIEW_DECISION)
        return boards.sources_of(
            board,
            lambda state: self.link_to(state.changed(store=board.store)),
            self._decision_link if may else None,
            lambda state: self.why_link_to(state.changed(store=board.store)),
        )

    def _decision_link(self, one: Registration) -> str:
        if one.id is not None:
            return self._reverse("decision_page", one.id)
        return self._reverse("decision_coded", one.store, str(one.counter))

    def _links(self, request: HttpRequest, board: Dashboard, page: Any) -> dict[str, Any]:
        """Addresses of what can be done, for those who may."""
        may, user = page.rights.changes, user_of(request)
        shares = may and user.has_perm("hailwhale_django.add_sharedlink")
        saves = page.ask.filters and user.has_perm("hailwhale_django.add_segment")
        before = board.panels.exclude(counter="").first()
        first = {"dashboard": board.pk, "place": _next_place(board), "counter": before.counter if before else ""}
        others = [(str(one), self.board_link(one)) for one in self.get_queryset(request) if one.pk != board.pk]
        page.panel_tools = self._reverse("panel_changelist") if may else ""
        page.add_panel = f"{self._reverse('panel_add')}?{urlencode(first)}" if may else ""
        page.saves_segments = self._reverse("dashboard_segment", board.slug) if saves else ""
        return {
            "others": others,
            "edit_link": self._reverse("dashboard_change", board.pk) if may else "",
            "file_link": self._reverse("dashboard_file", board.slug) if may else "",
            "share_link": f"{self._reverse('sharedlink_changelist')}?{urlencode({'dashboard__id__exact': board.pk})}"
            if shares
            else "",
        }

    # Forms

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change and obj.owner is None:
            obj.owner = user_of(request)
        super().save_model(request, obj, form, change)

    def response_post_save_add(self, request: HttpRequest, obj: Any) -> HttpResponseRedirect:
        return HttpResponseRedirect(self.board_link(obj))

    def response_post_save_change(self, request: HttpRequest, obj: Any) -> HttpResponseRedirect:
        return HttpResponseRedirect(self.board_link(obj))

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        board = Dashboard.objects.filter(pk=object_id).first() if object_id.isdecimal() else None
        link = self.board_link(board) if board else ""
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "page_link": link})

    def board_link(self, board: Dashboard) -> str:
        return self._reverse("dashboard_page", board.slug)

    def _reverse(self, name: str, *args: Any) -> str:
        return reverse(f"admin:hailwhale_django_{name}", args=args, current_app=self.admin_site.name)


def _next_place(board: Dashboard) -> int:
    last = board.panels.last()
    return (last.place if last else 0) + NEW_PLACE
