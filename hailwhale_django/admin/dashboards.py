"""Dashboards in Django's admin: a list of them, a page for each, and forms for what they are made of."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode, urljoin

from django.contrib import messages
from django.contrib.admin import RelatedFieldListFilter
from django.contrib.auth import get_permission_codename
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, QueryDict
from django.urls import URLPattern, path, re_path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from .. import boards, documents
from ..access_models import SharedLink
from ..connection import pod
from ..dashboard_models import NEW_PLACE, Dashboard, Panel, Segment, told_full
from ..dashboards.asking import Rights
from ..dashboards.board import Sources, board_page, board_sheet
from ..dashboards.boardstate import BoardState
from ..dashboards.chooser import lines_of
from ..dashboards.spec import read_filters
from ..engine.errors import InvalidInput, StoreUnavailable
from ..registration import Registration
from ..spreadsheet import spreadsheet
from .dashboard_form import DashboardForm, PanelForm, SharedLinkForm
from .storepages import StorePages

TEMPLATES = "admin/hailwhale_django/dashboard"
VIEW_COUNTER = "hailwhale_django.view_counter"
VIEW_DECISION = "hailwhale_django.view_decision"


def may_see(user: Any, board: Dashboard) -> bool:
    """Whether a user who may view dashboards may view this one."""
    return Dashboard.objects.visible_to(user).filter(pk=board.pk).exists()


def may_change(user: Any, board: Dashboard) -> bool:
    """Whether a user may change this one. Its panels can show any counter, so that takes the right to see these."""
    allowed = user.has_perm("hailwhale_django.change_dashboard") and user.has_perm(VIEW_COUNTER)
    return allowed and Dashboard.objects.changeable_by(user).filter(pk=board.pk).exists()


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
        return super(StorePages, self).has_add_permission(request) and _user(request).has_perm(VIEW_COUNTER)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_view_permission(request, obj) and (obj is None or may_see(request.user, obj))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj is None:
            return super().has_change_permission(request) and _user(request).has_perm(VIEW_COUNTER)
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
        board, outcome = documents.load(one.given, _user(request))
        said = {
            "created": gettext("%(title)s is made."),
            "changed": gettext("%(title)s is changed."),
            "unchanged": gettext("%(title)s is as it was."),
        }
        return said[outcome] % {"title": board}

    def segment_view(self, request: HttpRequest, slug: str) -> HttpResponseBase:
        """Save filters under a name, then show the dashboard with them."""
        board = self._board(request, slug)
        if not _user(request).has_perm("hailwhale_django.add_segment"):
            raise PermissionDenied
        segment = Segment(
            name=request.POST.get("name", "").strip(),
            store=board.store,
            filters=request.POST.getlist("filters"),
            owner=_user(request),
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
        explores = _user(request).has_perm(VIEW_COUNTER)
        return Rights(explores=explores, changes=may_change(request.user, board))

    def _sources(self, request: HttpRequest, board: Dashboard) -> Sources:
        may = _user(request).has_perm(VIEW_DECISION)
        return boards.sources_of(
            board,
            lambda state: self.link_to(state.changed(store=board.store)),
            self._decision_link if may else None,
        )

    def _decision_link(self, one: Registration) -> str:
        if one.id is not None:
            return self._reverse("decision_page", one.id)
        return self._reverse("decision_coded", one.store, str(one.counter))

    def _links(self, request: HttpRequest, board: Dashboard, page: Any) -> dict[str, Any]:
        """Addresses of what can be done, for those who may."""
        may, user = page.rights.changes, _user(request)
        shares = may and user.has_perm("hailwhale_django.add_sharedlink")
        saves = page.ask.filters and user.has_perm("hailwhale_django.add_segment")
        first = {"dashboard": board.pk, "place": _next_place(board)}
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
            obj.owner = _user(request)
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


class OfDashboard(StorePages):
    """What belongs to a dashboard: whoever may change that, may change this. It is no entry of its own."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return _user(request).has_perm("hailwhale_django.change_dashboard") and _user(request).has_perm(VIEW_COUNTER)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_add_permission(request) and (obj is None or may_change(request.user, obj.dashboard))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request, obj)

    def get_queryset(self, request: HttpRequest) -> Any:
        boards_of_user = Dashboard.objects.changeable_by(request.user)
        return super().get_queryset(request).filter(dashboard__in=boards_of_user).select_related("dashboard")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        changeable = Dashboard.objects.changeable_by(request.user)
        if db_field.name == "dashboard":
            kwargs["queryset"] = changeable
        elif db_field.name == "panel":
            kwargs["queryset"] = Panel.objects.filter(dashboard__in=changeable)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def _to_board(self, board: Dashboard, query: str = "") -> HttpResponseRedirect:
        name = "admin:hailwhale_django_dashboard_page"
        address = reverse(name, args=[board.slug], current_app=self.admin_site.name)
        return HttpResponseRedirect(address + (query if query.startswith("?") else ""))


class PanelAdmin(OfDashboard):
    """Panels: a form for one, and how it moves among the others."""

    form = PanelForm
    fieldsets = (
        (None, {"fields": ["dashboard", "kind", "title", "width"]}),
        (_("What it shows"), {"fields": ["counter", "dimension", "counters", "formulas", "order", "limit"]}),
        (_("How"), {"fields": ["style", "period", "text", "place"]}),
    )

    def get_urls(self) -> list[URLPattern]:
        own = [
            path("", self.page(self.nowhere_view), name=self.url_name("changelist")),
            path("<int:number>/move/", self.page(self.move_view, "POST"), name=self.url_name("move")),
            path("<int:number>/columns/", self.page(self.columns_view, "POST"), name=self.url_name("columns")),
        ]
        return own + super().get_urls()

    def nowhere_view(self, request: HttpRequest) -> HttpResponseBase:
        """Panels are listed on their dashboards."""
        return HttpResponseRedirect(self.view_link("dashboard"))

    def move_view(self, request: HttpRequest, number: int) -> HttpResponseBase:
        """Move, copy or remove a panel, and show its dashboard."""
        panel = self._changed(request, number)
        does = request.POST.get("do")
        if does in ("earlier", "later"):
            move(panel, 1 if does == "later" else -1)
        elif does == "copy" and panel.dashboard.is_full:
            messages.error(request, told_full())
        elif does == "copy":
            copied(panel)
        elif does == "remove":
            panel.delete()
            messages.success(request, gettext("The panel %(title)s is removed.") % {"title": panel})
        return self._to_board(panel.dashboard)

    def columns_view(self, request: HttpRequest, number: int) -> HttpResponseBase:
        """Keep the columns that were chosen for a table, and show its dashboard as it was."""
        panel = self._changed(request, number)
        panel.formulas = lines_of(request.POST.get("columns", ""))
        try:
            panel.full_clean()
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
        else:
            panel.save(update_fields=["formulas"])
            messages.success(request, gettext("The columns of %(title)s are kept.") % {"title": panel})
        return self._to_board(panel.dashboard, request.POST.get("next", ""))

    def _changed(self, request: HttpRequest, number: int) -> Panel:
        """The panel that a button is pressed of, for those who may change it."""
        panel: Panel | None = self.get_queryset(request).filter(pk=number).first()
        if panel is None or request.method != "POST":
            raise Http404
        if not self.has_change_permission(request, panel):
            raise PermissionDenied
        return panel

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: Any = None) -> HttpResponse:
        return self._to_board(obj.dashboard)

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        return self._to_board(obj.dashboard)

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: Any) -> HttpResponse:
        return HttpResponseRedirect(self.view_link("dashboard"))


class ChangeableDashboards(RelatedFieldListFilter):
    """Offers no dashboard that a user may not change, which the list has nothing of."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> list[tuple[Any, str]]:
        return [(one.pk, str(one)) for one in Dashboard.objects.changeable_by(request.user)]


class SharedLinkAdmin(OfDashboard):
    """Links to dashboards: a list with their addresses, and a form."""

    form = SharedLinkForm
    list_display = ("__str__", "dashboard", "panel", "address", "password", "expires_at")
    list_filter = (("dashboard", ChangeableDashboards),)
    fieldsets = (
        (None, {"fields": ["dashboard", "panel", "note"]}),
        (_("What it shows"), {"fields": ["filters", "interactive", "embeddable"]}),
        (_("Who may use it"), {"fields": ["password", "no_password", "expires_at"]}),
    )

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """One more of the dashboard whose links were listed, as **Share** lists them."""
        listed = QueryDict(request.GET.get("_changelist_filters", "")).get("dashboard__id__exact")
        return {"dashboard": listed, **super().get_changeform_initial_data(request)}

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self._allowed(request, "view")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and self._allowed(request, "add")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        user = _user(request)
        may = user.has_perm("hailwhale_django.change_dashboard") and user.has_perm(VIEW_COUNTER)
        return may and self._allowed(request, "change") and (obj is None or may_change(user, obj.dashboard))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        user = _user(request)
        return self._allowed(request, "delete") and (obj is None or may_change(user, obj.dashboard))

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._allowed(request, "view") or self.has_change_permission(request, obj)

    def _allowed(self, request: HttpRequest, action: str) -> bool:
        codename = get_permission_codename(action, self.opts)
        return bool(_user(request).has_perm(f"{self.opts.app_label}.{codename}"))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        if obj is not None and obj.has_password:
            return fieldsets
        return [
            (name, {**options, "fields": [one for one in options["fields"] if one != "no_password"]})
            for name, options in fieldsets
        ]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            obj.created_by = _user(request)
        super().save_model(request, obj, form, change)
        address = request.build_absolute_uri(shared_address(obj))
        messages.success(request, gettext("Whoever has this address sees it: %(address)s") % {"address": address})

    def response_post_save_add(self, request: HttpRequest, obj: Any) -> HttpResponseRedirect:
        """To where its address can be copied."""
        name = "admin:hailwhale_django_sharedlink_change"
        return HttpResponseRedirect(reverse(name, args=[obj.pk], current_app=self.admin_site.name))

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        link = SharedLink.objects.filter(pk=object_id).first() if object_id.isdecimal() else None
        shown = snippets(link, request.build_absolute_uri("/")) if link else []
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "snippets": shown})

    @staticmethod
    def address(link: SharedLink) -> str:
        return shared_address(link)

    @staticmethod
    def password(link: SharedLink) -> bool:
        return link.has_password


SharedLinkAdmin.address.short_description = _("address")  # type: ignore[attr-defined]
SharedLinkAdmin.password.short_description = _("password")  # type: ignore[attr-defined]
SharedLinkAdmin.password.boolean = True  # type: ignore[attr-defined]


def shared_address(link: SharedLink) -> str:
    """Where a link leads; it takes the project's addresses of hailwhale."""
    return reverse("hailwhale:shared", args=[link.token])


FRAME = '<iframe src="{}?embed=1" title="{}" width="100%" height="360" loading="lazy"></iframe>'
SCRIPT = '<script src="{}?link={}" async></script>'


def snippets(link: SharedLink, site: str) -> list[tuple[str, str]]:
    """What can be copied of a link, as text: its address and, if it may be embedded, a frame and a script."""
    address = urljoin(site, shared_address(link))
    if not link.embeddable:
        return [(gettext("Address"), address)]
    script = format_html(SCRIPT, urljoin(site, reverse("hailwhale:graph.js")), link.token)
    frame = format_html(FRAME, address, link.panel or link.dashboard)
    return [(gettext("Address"), address), (gettext("Frame"), "" + frame), (gettext("Script"), "" + script)]


def move(panel: Panel, by: int) -> None:
    """One place further on (1) or back (-1), if there is one; places are numbered anew."""
    rows = list(panel.dashboard.panels.all())
    at = rows.index(panel)
    to = min(max(at + by, 0), len(rows) - 1)
    rows.insert(to, rows.pop(at))
    _number(rows)


def copied(panel: Panel) -> Panel:
    """The same once more, right behind it."""
    with transaction.atomic():
        later = panel.dashboard.panels.filter(place__gt=panel.place)
        later.update(place=F("place") + NEW_PLACE)
        values = {one.name: getattr(panel, one.name) for one in panel._meta.fields if one.name != "id"}
        return Panel.objects.create(**values | {"place": panel.place + 1})


def _number(rows: list[Panel]) -> None:
    with transaction.atomic():
        for number, row in enumerate(rows, 1):
            if row.place != number * NEW_PLACE:
                row.place = number * NEW_PLACE
                row.save(update_fields=["place"])


def _next_place(board: Dashboard) -> int:
    last = board.panels.last()
    return (last.place if last else 0) + NEW_PLACE


def _user(request: HttpRequest) -> Any:
    return request.user
