"""Template tags: what they write, and that no page breaks for their sake."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest
from django.conf import settings
from django.template import Context, Template
from django.test import Client, override_settings
from django.utils import translation

from hailwhale_django import Whale
from hailwhale_django.engine.errors import InvalidInput
from hailwhale_django.templatetags import hailwhale as tags
from hailwhale_django.ticket import Ticket

pytestmark = pytest.mark.usefixtures("redis_url")

Drain = Callable[[], None]
VOID = ("img", "link", "line")


class Element(HTMLParser):
    """What a tag wrote, as (tag, attributes) in order, and its texts; fails on anything left open."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append(data.strip())

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def render(source: str, **context: Any) -> str:
    return str(Template("{% load hailwhale %}" + source).render(Context(context)))


@pytest.fixture(autouse=True)
def calm() -> None:
    """Nothing was said yet."""
    tags._outage.end()
    tags._say_once.cache_clear()


@pytest.fixture
def away() -> Any:
    with override_settings(HAILWHALE={**settings.HAILWHALE, "REDIS": "redis://127.0.0.1:1/0"}):
        yield


def count_some() -> None:
    Whale.count_now("shop", {"country": "US"}, {"revenue": 1000.5, "visitors": 3})
    Whale.count_now("shop", {"country": "<DE>"}, {"revenue": 3000, "visitors": 2})


# -- pixel


PIXELS = [
    ('{% hailwhale_pixel "shop" %}', "_", "hits", 1),
    ('{% hailwhale_pixel pk="shop" %}', "_", "hits", 1),
    ('{% hailwhale_pixel "shop" dimensions metrics %}', "country/US", "revenue", 9.5),
    ('{% hailwhale_pixel "shop" dimensions=dimensions metrics=metrics %}', "country/US", "revenue", 9.5),
    ('{% hailwhale_pixel "shop" dimension="country/US" metric="revenue" %}', "country/US", "revenue", 1),
    ("""{% hailwhale_pixel "shop" '{"country": "US"}' '{"revenue": 9.5}' %}""", "country/US", "revenue", 9.5),
    ("""{% hailwhale_pixel "shop" "['country', 'US']" "{'revenue': 9.5}" %}""", "country/US", "revenue", 9.5),
    ("{% hailwhale_pixel '[\"shop\"]' %}", "_", "hits", 1),
    ("{% hailwhale_pixel names dimensions %}", "country/US", "hits", 1),
]


@pytest.mark.parametrize(("source", "path", "metric", "counted"), PIXELS)
def test_pixel(source: str, path: str, metric: str, counted: float, client: Client, drain: Drain) -> None:
    html = render(source, dimensions={"country": "US"}, metrics={"revenue": 9.5}, names=["shop", "eu"])

    ((tag, image),) = Element(html).elements
    assert tag == "img"
    assert (image["width"], image["height"], image["alt"], image["loading"]) == ("1", "1", "", "eager")
    assert "style" not in image
    assert image["src"]
    assert client.get(image["src"]).status_code == 200
    drain()
    assert Whale.total("shop", metric, path) == counted


def test_pixel_with_declared_names(client: Client, drain: Drain) -> None:
    (image,) = Element(render('{% hailwhale_pixel "shop" declared="plan,ab" %}')).of("img")
    assert client.get(f"{image['src']}?plan=pro&colour=red").status_code == 200
    drain()
    assert Whale.all_subdimensions("shop") == ["_", "plan", ["plan", "pro"]]


def test_pixel_of_an_email() -> None:
    (image,) = Element(render('{% hailwhale_pixel "mail" base="https://shop.example/" %}')).of("img")
    assert str(image["src"]).startswith("https://shop.example/hailwhale/pixel/")


def test_pixel_needs_no_store(away: None) -> None:
    assert "<img" in render('{% hailwhale_pixel "shop" %}')


def test_what_cannot_be_signed_breaks_no_page(caplog: pytest.LogCaptureFixture) -> None:
    source = """{% hailwhale_pixel "shop" "{'country': " %}"""
    with caplog.at_level(logging.ERROR, "hailwhale_django"):
        assert [render(source), render(source)] == ["", ""]
    (record,) = caplog.records
    assert "what begins with { or [ is read as JSON" in record.getMessage()
    with override_settings(DEBUG=True), pytest.raises(InvalidInput):
        render(source)


# -- script


def test_script() -> None:
    html = render('{% hailwhale_script "shop" dimensions declared="plan" %}', dimensions={"site": "eu"})

    ((tag, script),) = Element(html).elements
    assert (tag, script["src"], script["data-url"]) == (
        "script",
        "/static/hailwhale_django/js/tracker.js",
        "/hailwhale/event",
    )
    assert "defer" in script and "data-outbound" not in script and "data-key" not in script
    found = Ticket.read(str(script["data-token"]), "event", None)
    assert found == Ticket("shop", {"site": "eu"}, None, ("plan",))
    (script,) = Element(render('{% hailwhale_script "shop" outbound=True %}')).of("script")
    assert "data-outbound" in script


# -- total


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ('{% hailwhale_total "shop" %}', "2"),
        ('{% hailwhale_total "shop" "revenue" %}', "4,000.50"),
        ('{% hailwhale_total "shop" metric="revenue/visitors" period="today" %}', "800.1"),
        ('{% hailwhale_total "shop" metrics="visitors" dimensions="country/US" %}', "3"),
        ('{% hailwhale_total "shop" "visitors" period="yesterday" %}', "0"),
        ('{% hailwhale_total "nobody" "x/y" %}', "0"),
    ],
)
def test_total(source: str, text: str) -> None:
    count_some()
    assert render(source) == text


def test_total_is_written_in_the_readers_language() -> None:
    count_some()
    with translation.override("de"):
        assert render('{% hailwhale_total "shop" "revenue" %}') == "4.000,50"


# -- table


def test_table() -> None:
    count_some()
    html = render('{% hailwhale_table "shop" "country" "revenue/visitors,revenue" "today" %}')

    found = Element(html)
    assert [attributes.get("scope") for attributes in found.of("th")] == ["col"] * 3 + ["row"] * 2
    assert len(found.of("caption")) == 1
    assert found.texts[0].startswith("shop › country, ")
    assert found.texts[1:] == [
        *("country", "revenue/visitors", "revenue"),
        *("<DE>", "1,500", "3,000"),
        *("US", "333.5", "1,000.50"),
    ]
    assert "<DE>" not in html
    assert "style=" not in html


@pytest.mark.parametrize(
    "source",
    [
        '{% hailwhale_table "shop" dimension="country" metrics="revenue" period="today" limit=1 %}',
        '{% hailwhale_table "shop" dimensions="country" metric="revenue" limit="1" %}',
        '{% hailwhale_table "shop" "country" metrics limit=1 %}',
        """{% hailwhale_table "shop" "country" '["revenue"]' limit=1 %}""",
    ],
)
def test_spellings_and_limit(source: str) -> None:
    count_some()
    assert Element(render(source, metrics=["revenue"])).texts[1:] == ["country", "revenue", "<DE>", "3,000"]


def test_table_of_nothing() -> None:
    assert Element(render('{% hailwhale_table "shop" "country" %}')).texts[-1] == "Nothing counted yet"


def test_its_template_can_be_replaced() -> None:
    count_some()
    own = {"hailwhale_django/table.html": "{% for name, texts in table.rows %}{{ name }}={{ texts.0 }};{% endfor %}"}
    options = {"loaders": [("django.template.loaders.locmem.Loader", own)]}
    engine = {"BACKEND": "django.template.backends.django.DjangoTemplates", "OPTIONS": options}
    with override_settings(TEMPLATES=[engine]):
        assert render('{% hailwhale_table "shop" "country" "revenue" %}') == "&lt;DE&gt;=3,000;US=1,000.50;"


# -- sketches


def test_what_is_no_number_is_a_line_of_text() -> None:
    sketches = {
        "uv:visitor": ["a", "b"],
        "pct50:ms": [10, 20],
        "top:sum:page": {"/a": 1500, "<b>": 2},
        "mh:visitor": "a",
    }
    Whale.count_now("shop", {"country": "US"}, sketches)
    Whale.count_now("shop", {"country": "DE"}, {"uv:visitor": "a"})
    metrics = "uv:visitor,pct50:ms,top:sum:page,hist2:ms,mh:visitor"

    texts = Element(render(f'{{% hailwhale_table "shop" "country" "{metrics}" "today" %}}')).texts
    *us, signature = texts[7:13]
    assert us == ["US", "2", "10", "/a 1,500, <b> 2", "0 – 10: 1, 10 – 20: 1"]
    assert (len(signature), signature[-1]) == (14, "…")
    assert texts[13:] == ["DE", "1", "–", "–", "–", "–"]
    assert render('{% hailwhale_total "shop" "pct50:ms" period="today" %}') == "10"
    assert render('{% hailwhale_total "shop" "top:sum:page" period="today" %}') == "/a 1,500, &lt;b&gt; 2"
    assert len(render('{% hailwhale_total "shop" "mh:visitor" period="today" %}')) == 14


def test_a_graph_says_where_points_do_not_add_up() -> None:
    Whale.count_now("shop", None, {"uv:visitor": "a"})
    found, data = graph_of(render('{% hailwhale_graph "shop" metric="uv:visitor" period="2d" %}'))
    assert data["lines"][0]["points"] == [0, 1]
    assert any("do not add up" in text for text in found.texts)


# -- graph


def graph_of(html: str) -> tuple[Element, dict[str, Any]]:
    found = re.search(r'<script type="application/json">(.*?)</script>', html, re.DOTALL)
    assert found
    return Element(html), json.loads(found[1])


def test_graph_of_the_best_rows() -> None:
    count_some()
    found, data = graph_of(render('{% hailwhale_graph "shop" "country" "revenue" "2d" %}'))

    assert data["unfinished"] is True
    assert [(line["number"], line["points"]) for line in data["lines"]] == [(1, [0, 3000]), (2, [0, 1000.5])]
    assert [attributes.get("scope") for attributes in found.of("th")] == ["col"] * 3 + ["row"] * 2
    assert [text for text in found.texts if text in ("<DE>", "US", "3,000", "1,000.50")] == [
        *("<DE>", "US"),
        *("<DE>", "US"),
        *("3,000", "1,000.50"),
    ]
    assert not [attributes for _, attributes in found.elements if "style" in attributes or "id" in attributes]
    assert all("src" in script or script.get("type") == "application/json" for script in found.of("script"))


@pytest.mark.parametrize(
    ("source", "name", "points"),
    [
        ('{% hailwhale_graph "shop" metric="visitors" period="2d" %}', "shop", [0, 5]),
        ('{% hailwhale_graph "shop" dimensions="country/US" metrics="visitors" period="2d" %}', "US", [0, 3]),
        ('{% hailwhale_graph "shop" "country" "visitors" "2d" limit=1 %}', "US", [0, 3]),
        ('{% hailwhale_graph "nobody" period="2d" %}', "nobody", [0, 0]),
    ],
)
def test_graph_of_one_line(source: str, name: str, points: list[float]) -> None:
    count_some()
    found, data = graph_of(render(source))
    assert [line["points"] for line in data["lines"]] == [points]
    assert name in found.texts


@pytest.mark.parametrize(("period", "most"), [("today", 24), ("30d", 31), ("24h", 25), ("1y", 120), ("5y", 120)])
def test_a_graph_can_be_read(period: str, most: int) -> None:
    count_some()
    _, data = graph_of(render('{% hailwhale_graph "shop" "country" "revenue" period %}', period=period))
    assert 5 <= len(data["ticks"]) <= most


def test_a_graph_of_the_children_that_matter() -> None:
    Whale.count_many([("site", {"page": page}, {"views": views}) for page, views in (("a", 50), ("b", 30), ("c", 4))])
    found, data = graph_of(render('{% hailwhale_graph "site" "page" "views" "2d" limit="auto" %}'))
    # Of 84 views c has less than a tenth: it is what is left of a stack.
    assert [(line["other"], line["points"]) for line in data["lines"]] == [
        (False, [0, 50]),
        (False, [0, 30]),
        (True, [0, 4]),
    ]
    assert "(other)" in found.texts


def test_of_a_ratio_those_matter_that_have_much_to_divide_by() -> None:
    lots = {"a": (400, 100), "b": (900, 60), "c": (50, 5), "d": (10, 30)}
    Whale.count_many(
        [("site", {"page": page}, {"revenue": top, "visitors": bottom}) for page, (top, bottom) in lots.items()]
    )
    _, data = graph_of(render('{% hailwhale_graph "site" "page" "revenue/visitors" "2d" limit="auto" %}'))
    assert [line["points"][-1] for line in data["lines"]] == [4, 15, pytest.approx(1 / 3)]


def test_of_what_has_no_shares_the_best_are_drawn() -> None:
    Whale.count_many([("site", {"page": str(n)}, {"pct:ms": n}) for n in range(1, 9)])
    _, data = graph_of(render('{% hailwhale_graph "site" "page" "pct95:ms" "2d" limit="auto" %}'))
    assert [round(line["points"][-1]) for line in data["lines"]] == [8, 7, 6, 5, 4]


def test_a_graph_in_another_style() -> None:
    count_some()
    source = '{% hailwhale_graph "shop" "country" "revenue" "2d" style="bar" log=True title="Sales <now>" %}'
    found, data = graph_of(render(source))
    (figure,) = found.of("figure")
    assert figure["data-style"] == "bar" and "data-log" in figure and figure["data-name"] == "Sales <now> by day"
    assert data["stacks"] is True
    assert "Sales <now>" in found.texts
    pressed = [button for button in found.of("button") if button.get("aria-pressed") == "true"]
    assert [(button["data-does"], button.get("value")) for button in pressed] == [("style", "bar"), ("log", None)]
    shown = [one for one in found.of("p") if "data-when" in one and "hidden" not in one]
    assert [one["data-when"] for one in shown] == ["log"]


# -- no page breaks


READING = [
    '{% hailwhale_total "shop" %}',
    '{% hailwhale_table "shop" "country" %}',
    '{% hailwhale_graph "shop" "country" %}',
]


@pytest.mark.parametrize("source", READING)
@pytest.mark.parametrize("debug", [True, False])
def test_the_store_is_away(source: str, debug: bool, away: None, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "hailwhale_django"), override_settings(DEBUG=debug):
        assert [render(source).strip() for _ in range(3)] == [""] * 3
    assert len(caplog.records) == 1


def test_each_outage_is_said(redis_url: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "hailwhale_django"):
        for url in ("redis://127.0.0.1:1/0", redis_url, "redis://127.0.0.1:1/0"):
            with override_settings(HAILWHALE={"REDIS": url}):
                assert (render(READING[0]) == "0") is (url == redis_url)
    assert len(caplog.records) == 2


@pytest.mark.parametrize(
    "source",
    [
        '{% hailwhale_total "shop" "revenue/" %}',
        '{% hailwhale_total "shop" period="noon" %}',
        '{% hailwhale_table "shop" limit=0 %}',
        '{% hailwhale_table "" %}',
        '{% hailwhale_graph "shop" limit=9 %}',
        '{% hailwhale_graph "shop" limit="few" %}',
        '{% hailwhale_graph "shop" style="pie" %}',
        "{% hailwhale_graph missing %}",
        '{% hailwhale_graph "shop" metric="top:sum:page" %}',
    ],
)
def test_what_cannot_be_understood(source: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "hailwhale_django"):
        assert [render(source).strip() for _ in range(2)] == ["", ""]
    assert len(caplog.records) == 1
    with override_settings(DEBUG=True), pytest.raises(InvalidInput):
        render(source)
