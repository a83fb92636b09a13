"""Graphs on other pages, without a browser: who may see which, what cannot be changed, and that no text is code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import time_machine
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.template import Context, Template
from django.test import Client, override_settings
from django.utils import timezone

from example_project.ports import free_port
from example_project.valkey import Valkey
from hailwhale_django import Whale, drawing
from hailwhale_django.admin.shared_links import snippets
from hailwhale_django.engine.errors import InvalidInput
from hailwhale_django.framing import EVERYBODY, framed
from hailwhale_django.models import Dashboard, Panel, SharedLink
from hailwhale_django.ticket import Ticket
from tests.api import who_may

pytestmark = pytest.mark.django_db

HOSTILE = "</script><script>alert(1)</script>&\"'><img src=x onerror=alert(2)>"
PARAMETERS = "pk dimension metric depth period tzoffset limit title store style area log table height live interval"
GRAPH = "/hailwhale/graph/"


@pytest.fixture(autouse=True)
def sold(redis_url: str) -> Iterator[None]:
    with override_settings(HAILWHALE={"REDIS": redis_url}):
        for country, revenue in (("US", 60), ("DE", 41)):
            Whale.count_now("shop", {"country": country}, {"revenue": revenue})
        yield


def get(query: str = "", client: Client | None = None, **given: Any) -> Any:
    return (client or Client()).get(f"{GRAPH}?{query}{urlencode(given)}")


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


def legend(answer: Any) -> list[str]:
    found = re.search(r'<ul class="hw-legend">(.*?)</ul>', text_of(answer), re.DOTALL)
    assert found, text_of(answer)
    return [unescape(name) for name in re.findall(r"<bdi>(.*?)</bdi>", found[1])]


def problem(answer: Any) -> str:
    (found,) = re.findall(r'<p class="hw-refused">(.*?)</p>', text_of(answer))
    return unescape(found)


def signed(pk: Any = "shop", **given: Any) -> str:
    """What stands behind `?` in the address of a tag."""
    (address,) = re.findall(r'<script src="([^"]*)" async></script>', Whale.graph_tag(pk, **given))
    return unescape(address).partition("?")[2]


def with_link(**given: Any) -> SharedLink:
    board = Dashboard.objects.create(title="Shop", slug="shop")
    panel = Panel.objects.create(dashboard=board, kind="graph", counter="shop", formulas=["revenue"])
    return SharedLink.objects.create(**{"dashboard": board, "panel": panel, "embeddable": True, **given})


class TestScripts:
    @pytest.mark.parametrize("name", ["graph.js", "table_graph.js", "hailwhale.js"])
    def test_a_script_is_the_same_for_everybody(self, name: str) -> None:
        plain = Client().get(f"/hailwhale/{name}")
        query = urlencode(dict.fromkeys([*PARAMETERS.split(), "link", "graph", "hwurl", "delay"], HOSTILE))
        asked = Client().get(f"/hailwhale/{name}?{query}")
        assert asked.content == plain.content
        assert plain["Content-Type"] == "text/javascript; charset=utf-8"
        assert plain["Cache-Control"] == "public, max-age=3600"
        assert plain["X-Content-Type-Options"] == "nosniff"
        assert plain["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert Client().post(f"/hailwhale/{name}").status_code == 405

    def test_the_shim_is_small(self) -> None:
        assert len(Client().get("/hailwhale/hailwhale.js").content) < 3072


class TestSigned:
    def test_whoever_has_the_tag_sees_it(self) -> None:
        answer = get(signed(dimension="country", metric="revenue", title="Revenue", period="7d"))
        assert (answer.status_code, legend(answer)) == (200, ["US", "DE"])
        assert '<bdi>Revenue</bdi> <span class="quiet">by day</span>' in text_of(answer)
        assert "X-Frame-Options" not in answer
        assert set(answer["Cache-Control"].split(", ")) == {"private", "no-cache"}
        assert answer["X-Robots-Tag"] == "noindex"

    def test_where_the_tag_leads(self) -> None:
        begin = '<script src="{}/hailwhale/graph.js?graph='
        assert Whale.graph_tag("shop").startswith(begin.format(""))
        assert Whale.graph_tag("shop", base="https://shop.example/").startswith(begin.format("https://shop.example"))
        with override_settings(HAILWHALE={"BASE_URL": "https://shop.example"}):
            assert Whale.graph_tag("shop").startswith(begin.format("https://shop.example"))

    def test_what_is_signed_cannot_be_changed(self) -> None:
        Whale.count_now("secret", {"country": "XX"}, {"revenue": 7001})
        query = signed(dimension="country", metric="revenue", period="7d")
        before = text_of(get(query))
        others = {"pk": "secret", "dimension": "other", "metric": "hits", "depth": 0, "period": "today", "limit": 1}
        others |= {"tzoffset": "-700", "title": "x", "store": "none", "link": "", "user": 1}
        assert text_of(get(query + "&", **others)) == before
        (ticket,) = parse_qs(query)["graph"]
        body, rest = ticket.split(":", 1)
        for forged in (f"{body[:-2]}AA:{rest}", f"{ticket[:-1]}{'A' if ticket[-1] != 'A' else 'B'}", f"x{ticket}"):
            answer = get(graph=forged)
            assert (answer.status_code, "not signed by this site" in problem(answer)) == (403, True)
        assert get(graph="nonsense").status_code == 400

    def test_a_ticket_of_another_use_is_none(self) -> None:
        assert get(graph=Ticket("shop").signed("pixel")).status_code == 403

    def test_for_some_time(self) -> None:
        query = signed(max_age=60)
        now = timezone.now()
        with time_machine.travel(now + timedelta(seconds=50), tick=False):
            assert get(query).status_code == 200
        with time_machine.travel(now + timedelta(seconds=61), tick=False):
            answer = get(query)
            assert (answer.status_code, "which is over" in problem(answer)) == (410, True)

    def test_how_it_looks_may_be_said_beside(self) -> None:
        query = signed(metric="revenue", period="7d")
        text = text_of(get(query + "&", height="300px", theme="dark", background="transparent", area="true", table=1))
        assert 'data-theme="dark"' in text and 'content="dark"' in text and "hw-clear" in text
        assert 'data-height="300"' in text and "data-numbers" in text and 'data-style="area"' in text
        assert 'data-live=""' in text
        assert 'data-live="10"' in text_of(get(query + "&", live="true"))
        assert 'data-live="30"' in text_of(get(query + "&", live="true", interval=30))
        assert 'data-live="30"' in text_of(get(query + "&", live="true", interval=30000))
        assert 'data-live="5"' in text_of(get(query + "&", live="true", interval=1))
        assert 'data-style="bar"' in text_of(get(query + "&", s="bar"))

    def test_depth(self) -> None:
        assert legend(get(signed(dimension="country", metric="revenue"))) == ["US", "DE"]
        assert legend(get(signed(dimension="country", metric="revenue", depth=0))) == ["country"]
        assert legend(get(signed(dimension="country/DE", metric="revenue", depth=0))) == ["DE"]
        assert legend(get(signed(metric="revenue"))) == ["shop"]

    def test_zone_and_store(self, redis_url: str) -> None:
        with override_settings(HAILWHALE={"REDIS": redis_url, "STORES": {"other": {"PREFIX": "other"}}}):
            other = Whale.using("other")
            other.count_now("shop", {"plan": "pro"}, {"revenue": 1})
            (address,) = re.findall(r'src="([^"]*)"', other.graph_tag("shop", dimension="plan", tzoffset="-700"))
            assert legend(Client().get(GRAPH + "?" + urlsplit(unescape(address)).query)) == ["pro"]

    @pytest.mark.parametrize(
        ("given", "field"),
        [
            ({"depth": 2}, "depth"),
            ({"height": 5}, "height"),
            ({"live": "maybe"}, "live"),
            ({"live": True, "interval": "x"}, "interval"),
            ({"store": "none"}, "store"),
            ({"dimensoin": "x"}, "parameters"),
            ({"metric": {1, 2}}, "ticket"),
        ],
    )
    def test_what_will_not_do_is_told_when_it_is_signed(self, given: dict[str, Any], field: str) -> None:
        with pytest.raises(InvalidInput) as raised:
            Whale.using("default").graph_tag("shop", **given) if "store" not in given else _tag(given)
        assert raised.value.field == field

    def test_what_cannot_be_drawn_is_told_in_its_place(self) -> None:
        for given in ({"period": "nonsense"}, {"metric": "a/"}, {"limit": 99}, {"style": "pie"}):
            answer = get(signed(**given))
            assert answer.status_code == 400
            assert str(next(iter(given.values()))) in problem(answer)
            assert "X-Frame-Options" not in answer

    def test_the_template_tag(self) -> None:
        def shown(source: str, **context: Any) -> str:
            return Template("{% load hailwhale %}" + source).render(Context(context))

        text = shown('{% hailwhale_graph_tag "shop" "country" "revenue" "7d" title="<R>" base="https://x.example" %}')
        (address,) = re.findall(r'^<script src="https://x.example/hailwhale/graph.js\?([^"]+)" async></script>$', text)
        answer = get(unescape(address))
        assert legend(answer) == ["US", "DE"]
        assert "<bdi>&lt;R&gt;</bdi>" in text_of(answer)
        assert legend(
            get(
                unescape(
                    shown("{% hailwhale_graph_tag name dimension=at %}", name="shop", at={"country": "US"})
                    .split("?")[1]
                    .split('"')[0]
                )
            )
        ) == ["US"]
        with override_settings(DEBUG=False):
            assert shown('{% hailwhale_graph_tag "" %}') == ""


def _tag(given: dict[str, Any]) -> str:
    return drawing.tag({"pk": "shop", **given})


class TestUnsigned:
    def test_nobody_sees_what_is_not_signed(self) -> None:
        for client in (Client(), who_may("view_dashboard")):
            answer = get(client=client, pk="shop")
            assert answer.status_code == 403
            assert problem(answer) == "This graph is not signed: use a shared link, or the template tag."
            assert "X-Frame-Options" not in answer

    def test_who_may_view_counters_sees_it_on_this_site(self) -> None:
        answer = get(client=who_may("view_counter"), pk="shop", dimension='{"country": "US"}', metric="revenue")
        assert (answer.status_code, legend(answer)) == (200, ["US"])
        assert answer["X-Frame-Options"] == "SAMEORIGIN"

    def test_something_must_be_named(self) -> None:
        assert problem(get(client=who_may("view_counter"))).startswith("pk: None will not do")

    @pytest.mark.parametrize("name", [*PARAMETERS.split(), "theme", "background", "link", "graph", "s", "embed"])
    def test_nothing_becomes_code(self, name: str) -> None:
        Whale.count_now("shop", {HOSTILE: HOSTILE}, {"revenue": 3})
        client = who_may("view_counter")
        given = {"pk": "shop", "dimension": HOSTILE, "metric": "revenue", name: HOSTILE}
        for query in (urlencode(given), urlencode({**given, "live": "true"})):
            text = text_of(client.get(f"{GRAPH}?{query}", follow=True))
            assert "<script>alert" not in text and "<img" not in text
            assert text.count("<script") == text.count("</script>")


class TestLinks:
    def test_it_leads_to_the_shared_page(self) -> None:
        link = with_link()
        answer = get(link=link.token, theme="dark", height=300)
        assert answer.status_code == 302
        assert answer["Location"] == f"/hailwhale/shared/{link.token}/?theme=dark&height=300&embed=1"
        shown = Client().get(answer["Location"])
        text = text_of(shown)
        assert "X-Frame-Options" not in shown and "X-Frame-Options" not in answer
        assert 'class="hw hw-shared hw-embed"' in text and 'data-theme="dark"' in text and 'data-height="300"' in text
        assert "frame.js" in text and "<h1" not in text

    def test_a_frame_is_known_without_saying_so(self) -> None:
        address = f"/hailwhale/shared/{with_link().token}/"
        assert "hw-embed" not in text_of(Client().get(address))
        assert "hw-embed" in text_of(Client().get(address, headers={"Sec-Fetch-Dest": "iframe"}))

    @pytest.mark.parametrize(
        "given", [{"embeddable": False}, {"expires_at": timezone.now() - timedelta(days=1)}, {"token": "another"}]
    )
    def test_others_are_not_there(self, given: dict[str, Any]) -> None:
        link = with_link(**given)
        answer = get(link=link.token if "token" not in given else "guessed", pk="shop")
        assert answer.status_code == 403
        assert problem(answer) == "There is nothing to be seen here: the link is over, or may not be embedded."

    def test_snippets(self) -> None:
        link = with_link()
        link.panel.title = HOSTILE
        address, frame, script = (text for _, text in snippets(link, "https://shop.example/"))
        assert address == f"https://shop.example/hailwhale/shared/{link.token}/"
        assert frame.startswith(f'<iframe src="{address}?embed=1" title="&lt;/script&gt;')
        assert script == f'<script src="https://shop.example/hailwhale/graph.js?link={link.token}" async></script>'
        link.embeddable = False
        assert snippets(link, "https://shop.example/") == [("Address", address)]

    def test_they_can_be_copied_after_saving(self) -> None:
        board = Dashboard.objects.create(title="Shop", slug="shop")
        client = Client()
        client.force_login(User.objects.create_superuser("root"))
        pages = "/admin/hailwhale_django/sharedlink/"
        listed = f"{pages}add/?_changelist_filters=dashboard__id__exact%3D{board.pk}"
        assert f'<option value="{board.pk}" selected>' in text_of(client.get(listed))
        sent = {"dashboard": board.pk, "interactive": "on", "embeddable": "on"}
        saved = client.post(f"{pages}add/", sent, follow=True)
        link = SharedLink.objects.get()
        assert saved.redirect_chain == [(f"{pages}{link.pk}/change/", 302)]
        texts = re.findall(r'<code id="hw-snippet-\d">(.*?)</code>', text_of(saved))
        assert [unescape(text) for text in texts] == [text for _, text in snippets(link, "http://testserver/")]


def test_the_store_is_away(tmp_path: Path) -> None:
    query = signed(metric="revenue")
    with Valkey(tmp_path, free_port()) as server, override_settings(HAILWHALE={"REDIS": server.url}):
        server.stop()
        answer = get(query)
        assert answer.status_code == 503
        assert problem(answer) == "The counts cannot be read now. This page tries again by itself."
        assert 'data-live="10" data-away' in text_of(answer)
        server.start()
        assert get(query).status_code == 200


@override_settings(SECURE_CSP={"default-src": ["'self'"], "frame-ancestors": ["'none'"]})
def test_the_projects_own_policy_lets_frames_be() -> None:
    answer = framed(HttpResponse())
    assert answer._csp_config == {"default-src": ["'self'"], **EVERYBODY}
    assert answer._csp_replace == EVERYBODY
    assert answer.xframe_options_exempt
