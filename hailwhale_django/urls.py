"""The JSON API, as the ancestor spelt it: `path("hailwhale/", include("hailwhale_django.urls"))`.

Every address works with a slash at its end, too.
"""

from __future__ import annotations

from django.urls import URLPattern, path, re_path

from . import annotation_views, decision_views, embedding, explanation_views, inlets, monitor, pixel, shared, views

app_name = "hailwhale"

_ENDPOINTS = {
    "count": views.CountView,
    "count_now": views.CountView,
    "events": inlets.EventsView,
    "event": inlets.EventView,
    "collectd": inlets.CollectdView,
    "count_decision": decision_views.CountDecisionView,
    "count_decisions": decision_views.CountDecisionsView,
    "decide": decision_views.DecideView,
    "choose": decision_views.ChooseView,
    "credit": decision_views.CreditView,
    "update_count_to": views.UpdateCountToView,
    "reset": views.ResetView,
    "totals": views.TotalsView,
    "plotpoints": views.PlotpointsView,
    "rank": views.RankView,
    "query": views.QueryView,
    "overlap": views.OverlapView,
    "explain": explanation_views.ExplainView,
    "movers": explanation_views.MoversView,
    "annotations": annotation_views.AnnotationsView,
    "health": monitor.HealthView,
}

_SCRIPTS = ("graph.js", "table_graph.js", "hailwhale.js")

urlpatterns: list[URLPattern] = [
    *(re_path(rf"^{name}/?\Z", view.as_view(), name=name) for name, view in _ENDPOINTS.items()),
    *(path(name, embedding.script, {"name": name}, name=name) for name in _SCRIPTS),
    re_path(r"^graph/?\Z", embedding.graph, name="graph"),
    path("shared/<str:token>/", shared.shared, name="shared"),
    re_path(r"^pixel/(?P<payload>[^/]+)\.gif\Z", pixel.pixel, name="pixel"),
]
