"""What collectd 5.12 sent to a listener (interfaces, CPUs, load, memory, a disk), and what is counted of it."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.test import APIClient

from hailwhale_django import Whale, collectd, wire
from hailwhale_django.engine.errors import InvalidInput
from tests.api import KEY

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_url", "write_keys")]

DATA = Path(__file__).parent / "data"
ADDRESS = f"/hailwhale/collectd?key={KEY}"

Drain = Callable[[], None]


def captured(name: str) -> list[dict[str, Any]]:
    """What was sent, as if it were sent now: what is too old is not kept."""
    found: list[dict[str, Any]] = json.loads((DATA / f"collectd-{name}.json").read_bytes())
    later = time.time() - max(one["time"] for one in found)
    return [{**one, "time": one["time"] + later} for one in found]


def send(client: APIClient, lists: Any, query: str = "") -> Any:
    return client.generic("POST", ADDRESS + query, json.dumps(lists), content_type="application/json")


def one(**changed: Any) -> dict[str, Any]:
    return {
        "values": [1.5],
        "dstypes": ["gauge"],
        "dsnames": ["value"],
        "time": time.time(),
        "interval": 10.0,
        "host": "web-1",
        "plugin": "df",
        "plugin_instance": "root",
        "type": "df_complex",
        "type_instance": "free",
        **changed,
    }


def expected(lists: list[dict[str, Any]], kinds: tuple[str, ...], factor: Callable[[dict[str, Any]], float]) -> Any:
    """Sums by path and metric, worked out from what was captured."""
    sums: dict[tuple[str, str], float] = defaultdict(float)
    for found in lists:
        names = [found["plugin"], found["plugin_instance"], found["type_instance"]]
        path = "/".join(filter(None, names))
        for kind, name, value in zip(found["dstypes"], found["dsnames"], found["values"], strict=True):
            if kind in kinds and value is not None:
                metric = f"{found['plugin']}.{found['type']}.{name}"
                sums[f"plugin/{path}", metric] += value * factor(found)
                sums[f"host/web-1/{path}", metric] += value * factor(found)
    return dict(sums)


@pytest.mark.parametrize("name", ["rates", "rates-first"])
def test_what_it_sends_with_rates(name: str, anyone: APIClient, drain: Drain) -> None:
    lists = captured(name)
    nothing = sum(all(value is None for value in found["values"]) for found in lists)
    found = send(anyone, lists, "&rates=1").json()

    assert found == {"accepted": len(lists) - nothing, "refused": 0, "errors": [], "skipped": nothing}
    drain()
    sums = expected(lists, ("gauge",), lambda _: 1) | expected(lists, ("derive",), lambda found: found["interval"])
    assert len(sums) > 20
    for (path, metric), value in sums.items():
        assert Whale.total("collectd", f'"{metric}"', path) == pytest.approx(value, abs=1e-5)
    assert set(Whale.get_subdimensions("collectd")) == {"plugin", "host"}


def test_the_first_rates_are_null() -> None:
    assert any(None in found["values"] for found in captured("rates-first"))


def test_what_it_sends_without_rates(anyone: APIClient, drain: Drain) -> None:
    lists = captured("plain")
    totals = sum("derive" in found["dstypes"] for found in lists)
    assert 0 < totals < len(lists)
    found = send(anyone, lists).json()

    assert (found["accepted"], found["skipped"]) == (len(lists) - totals, totals)
    drain()
    for (path, metric), value in expected(lists, ("gauge",), lambda _: 1).items():
        assert Whale.total("collectd", f'"{metric}"', path) == pytest.approx(value)
    assert not [metric for metric in Whale.metrics_of("collectd") if metric.startswith(("cpu", "interface"))]


def test_the_mean_of_a_gauge(anyone: APIClient, drain: Drain) -> None:
    for load in ([1.0, 2.0, 3.0], [2.0, 4.0, 6.5]):
        sent = one(values=load, dstypes=["gauge"] * 3, dsnames=["shortterm", "midterm", "longterm"])
        assert send(anyone, [{**sent, "plugin": "load", "type": "load", "plugin_instance": "", "type_instance": ""}])

    drain()
    mean = Whale.total("collectd", "load.load.longterm/load.load.samples", "host/web-1/load")
    assert mean == 4.75
    assert Whale.total("collectd", "load.load.samples") == 2


@pytest.mark.parametrize(
    ("kind", "rates", "counted"),
    [("gauge", "", 5), ("gauge", "&rates=1", 5), ("derive", "", 0), ("derive", "&rates=1", 50)]
    + [("counter", "", 0), ("counter", "&rates=true", 50), ("absolute", "", 5), ("absolute", "&rates=on", 50)],
)
def test_types(kind: str, rates: str, counted: float, anyone: APIClient, drain: Drain) -> None:
    response = send(anyone, [one(values=[5], dstypes=[kind])], rates)
    assert (response.status_code, response.json()["skipped"]) == (202, int(counted == 0))
    drain()
    assert Whale.total("collectd", "df.df_complex.value") == counted


def test_its_own_instant(anyone: APIClient, drain: Drain) -> None:
    send(anyone, [one(time=time.time() - 86_400)])
    drain()
    assert (Whale.yesterday("collectd"), Whale.today("collectd")) == (1, 0)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"host": ""}, "host"),
        ({"host": 5}, "host"),
        ({"host": "x" * 256}, "dimensions"),
        ({"plugin": None}, "plugin"),
        ({"plugin_instance": []}, "plugin_instance"),
        ({"values": [True]}, "values"),
        ({"values": ["5"]}, "values"),
        ({"values": [1, 2]}, "values"),
        ({"values": 1}, "values"),
        ({"dsnames": None}, "values"),
        ({"dsnames": [[1]]}, "dsnames"),
        ({"dstypes": ["guess"]}, "dstypes"),
        ({"dstypes": [[]]}, "dstypes"),
        ({"interval": 0, "dstypes": ["derive"]}, "interval"),
        ({"interval": None, "dstypes": ["derive"]}, "interval"),
        ({"time": "noon"}, "at"),
    ],
)
def test_a_bad_value_list_costs_no_other(changed: Any, field: str, anyone: APIClient, drain: Drain) -> None:
    found = send(anyone, [one(**changed), one()], "&rates=1").json()
    assert (found["accepted"], found["refused"]) == (1, 1)
    assert (found["errors"][0]["index"], found["errors"][0]["field"]) == (0, field)
    drain()
    assert Whale.total("collectd") == 1


def test_notifications_are_no_value_lists(anyone: APIClient) -> None:
    """`write_http` sends these where `Notifications true` is configured."""
    sent = [{"labels": {"alertname": "collectd_load"}, "annotations": {"summary": "high"}}]
    response = send(anyone, sent)
    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "host")


def test_what_is_asked(anyone: APIClient) -> None:
    assert send(anyone, [one()], "&rate=1").status_code == 400
    assert send(anyone, [one()], "&rates=perhaps").status_code == 400
    for body in ("{}", "[NaN]", "x"):
        assert anyone.generic("POST", ADDRESS, body, content_type="application/json").status_code == 400
    assert anyone.post("/hailwhale/collectd", [one()], format="json").status_code in (401, 403)
    assert anyone.get(ADDRESS).status_code == 405
    answer = anyone.options(ADDRESS, headers={"Origin": "https://shop.example"})
    assert (answer.status_code, "Access-Control-Allow-Origin" in answer) == (405, False)


def test_everything_skipped_is_no_error(anyone: APIClient) -> None:
    assert send(anyone, [one(values=[None])]).json() == {"accepted": 0, "refused": 0, "errors": [], "skipped": 1}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=5,
)
LIKELY = {
    "values": st.lists(st.none() | st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=2),
    "dstypes": st.lists(st.sampled_from(collectd.TYPES), min_size=1, max_size=2),
    "dsnames": st.lists(st.text(max_size=9), min_size=1, max_size=2),
    "time": st.floats(0, 2e9),
    "interval": st.floats(0, 1e300),
    **dict.fromkeys(("host", "plugin", "plugin_instance", "type", "type_instance"), st.text(max_size=9)),
}


@given(st.fixed_dictionaries({name: likely | JSON for name, likely in LIKELY.items()}), st.booleans())
def test_whatever_is_sent_is_an_event_or_refused(found: dict[str, Any], rates: bool) -> None:
    try:
        read = collectd.event(wire.read_event(found), rates=rates)
        if read is not None:
            Whale.pod().store.intake.event(read["pk"], read["dimensions"], read["metrics"], read["at"], 0.0)
    except InvalidInput as error:
        assert str(error)


def test_instances_that_are_empty_are_left_out() -> None:
    found = collectd.event(one(plugin_instance="", type_instance="free"), rates=False)
    assert found is not None
    assert found["dimensions"] == {"plugin": {"df": "free"}, "host": {"web-1": {"df": "free"}}}
    found = collectd.event(one(plugin="uptime", plugin_instance="", type_instance=""), rates=False)
    assert found is not None
    assert found["dimensions"] == {"plugin": "uptime", "host": {"web-1": "uptime"}}
