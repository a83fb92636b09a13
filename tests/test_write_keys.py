"""Write keys of the admin: who holds which, on which counters they count, and a database that is away."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from hailwhale_django import Hail, Whale
from hailwhale_django.engine.domain.paths import Path
from hailwhale_django.engine.errors import InvalidInput
from hailwhale_django.models import WriteKey
from hailwhale_django.write_keys import Elsewhere, Holder
from tests.api import KEY, configured

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_url", "no_decisions")]

COLLECTD = {
    "values": [0.5],
    "dstypes": ["gauge"],
    "dsnames": ["value"],
    "time": 1795304500,
    "interval": 10,
    "host": "web-1",
    "plugin": "cpu",
    "plugin_instance": "0",
    "type": "percent",
    "type_instance": "idle",
}


@pytest.fixture(autouse=True)
def keyed(redis_url: str) -> Iterator[None]:
    with configured():
        yield


def made(*counters: Any, **given: Any) -> str:
    """A new key, on these counters."""
    row = WriteKey(name=given.pop("name", "Partner"), counters=list(counters), **given)
    key = row.renew()
    row.clean()
    row.save()
    return key


def post(client: APIClient, name: str, body: Any, key: str) -> Any:
    text = json.dumps(body)
    headers = {"X-Hailwhale-Key": key}
    return client.generic("POST", f"/hailwhale/{name}", text, content_type="application/json", headers=headers)


def message(response: Any) -> str:
    return str(response.json()["error"]["message"])


class TestHolder:
    def test_children_of_a_counter_are_its_own(self) -> None:
        holder = Holder("Partner", (Path(("shop",)), Path(("Product", "123"))))
        for fine in ("shop", "shop/banner", ["shop", "a/b"], "Product/123", ["Product", 123, "x"]):
            holder.check(fine)
        for other in ("shops", "Product", "Product/12", ["shop/banner"], "_", "blog"):
            with pytest.raises(Elsewhere, match="the write key 'Partner' counts on shop, Product/123, and below"):
                holder.check(other)
        with pytest.raises(InvalidInput, match="name the counter"):
            holder.check(None)

    def test_the_default_counter_is_one_of_many(self) -> None:
        row = WriteKey(counters=["_"])
        Holder("x", row.paths).check("_")
        with pytest.raises(Elsewhere):
            Holder("x", row.paths).check("shop")

    def test_what_nobody_can_have_written_is_no_way_in(self) -> None:
        with pytest.raises(Elsewhere):
            Holder("x", WriteKey(counters=[""]).paths).check("shop")

    def test_without_counters_it_counts_everywhere(self) -> None:
        Holder().check("anything")


class TestAKeyOfTheAdmin:
    def test_it_counts(self, anyone: APIClient) -> None:
        key = made()
        assert anyone.get("/hailwhale/count", {"pk": "shop", "key": key}).status_code == 200
        assert post(anyone, "count", {"pk": "blog"}, key).status_code == 200
        assert post(anyone, "count", {"pk": "shop", "key": key}, "").status_code == 200
        assert (Whale.total("shop"), Whale.total("blog")) == (2, 1)

    @pytest.mark.parametrize("wrong", ["", "x", "ключ"])
    def test_another_does_not(self, wrong: str, anyone: APIClient) -> None:
        key = made()
        response = anyone.get("/hailwhale/count", {"pk": "shop", "key": key[:-1] + wrong})
        assert response.status_code == 403
        assert "nor an active one of the admin" in message(response)

    def test_neither_its_digest_nor_what_is_shown_of_it_counts(self, anyone: APIClient) -> None:
        made()
        row = WriteKey.objects.get()
        for wrong in (row.digest, row.beginning):
            assert anyone.get("/hailwhale/count", {"pk": "shop", "key": wrong}).status_code == 403

    def test_one_that_is_not_active_does_not(self, anyone: APIClient) -> None:
        key = made(active=False)
        assert anyone.get("/hailwhale/count", {"pk": "shop", "key": key}).status_code == 403

    def test_a_renewed_one_forgets_the_one_before(self, anyone: APIClient) -> None:
        before = made()
        row = WriteKey.objects.get()
        after = row.renew()
        row.save()
        answers = [anyone.get("/hailwhale/count", {"pk": "shop", "key": key}).status_code for key in (before, after)]
        assert answers == [403, 200]

    def test_the_day_is_written_once(self, anyone: APIClient) -> None:
        key = made()
        asked = {"pk": "shop", "key": key}
        with time_machine.travel("2026-11-21T10:00:00Z", tick=False), CaptureQueriesContext(connection) as queries:
            for _ in range(3):
                anyone.get("/hailwhale/count", asked)
        assert WriteKey.objects.get().last_used_on == date(2026, 11, 21)
        assert sum(one["sql"].startswith("UPDATE") for one in queries) == 1
        assert sum(one["sql"].startswith("SELECT") for one in queries) == 3
        with time_machine.travel("2026-11-22T10:00:00Z", tick=False):
            anyone.get("/hailwhale/count", asked)
        assert WriteKey.objects.get().last_used_on == date(2026, 11, 22)

    def test_one_of_the_setting_asks_no_database(self, anyone: APIClient) -> None:
        made()
        with CaptureQueriesContext(connection) as queries:
            assert anyone.get("/hailwhale/count", {"pk": "shop", "key": KEY}).status_code == 200
        assert len(queries) == 0


class TestOnlyItsCounters:
    """Each inlet, with a key for `shop` and `_`."""

    @pytest.fixture
    def key(self) -> str:
        return made("shop", "_")

    @pytest.mark.parametrize(
        ("name", "body", "status"),
        [
            ("count", {}, 200),
            ("count_now", {"metrics": {"x": 1}}, 200),
            ("update_count_to", {"metrics": {"x": 1}}, 200),
            ("event", {"name": "read"}, 202),
            ("count_decision", {"decision": "banner", "option": "b"}, 200),
            ("count_decision", {"decided": {"banner": "b", "colour": "red"}}, 200),
            ("count_decision", {"decision": "banner", "option": "b", "id": "1"}, 202),
            ("decide", {"decision": "banner", "options": ["a", "b"]}, 200),
            ("decide", {"options": {"banner": ["a", "b"], "colour": ["red"]}}, 200),
            ("decide", {"options": {"banner": ["a", "b"], "colour": ["red"]}, "together": True}, 200),
        ],
    )
    def test_one_at_a_time(self, name: str, body: dict[str, Any], status: int, key: str, anyone: APIClient) -> None:
        for fine in ("shop", "shop/hats", ["shop", "a/b"]):
            assert post(anyone, name, {**body, "pk": fine}, key).status_code == status
        for other in ("blog", "shops", ["blog", "shop"], ["shop/hats"]):
            response = post(anyone, name, {**body, "pk": other}, key)
            assert response.status_code == 403
            error = response.json()["error"]
            assert (error["field"], error["expected"]) == (
                "pk",
                "the write key 'Partner' counts on shop, _, and below",
            )
            assert error["value"].startswith(str(Path.parse(other) if isinstance(other, str) else Path(other)))
        Hail.drain()
        assert Whale.total("blog") == Whale.total(["shop/hats"]) == 0

    def test_the_default_counter(self, key: str, anyone: APIClient) -> None:
        assert anyone.get("/hailwhale/count", {"key": key}).status_code == 200
        assert anyone.get("/hailwhale/count", {"key": made("shop")}).status_code == 403
        assert Whale.total("_") == 1

    def test_what_names_no_counter_is_told_so(self, key: str, anyone: APIClient) -> None:
        assert post(anyone, "event", {"name": "read"}, key).status_code == 400

    def test_a_key_of_one_decision(self, anyone: APIClient) -> None:
        key = made("shop/banner")
        fine = {"pk": "shop", "decision": "banner", "option": "b"}
        assert post(anyone, "count_decision", fine, key).status_code == 200
        both = {"pk": "shop", "decided": {"banner": "b", "colour": "red"}}
        response = post(anyone, "count_decision", both, key)
        assert (response.status_code, response.json()["error"]["value"]) == (403, "shop/colour")
        asked = {"pk": "shop", "options": {"banner": ["a"], "colour": ["red"]}}
        assert post(anyone, "decide", {**asked, "together": True}, key).json()["error"]["value"] == (
            "shop/banner + colour"
        )

    def test_each_event_of_a_batch(self, key: str, anyone: APIClient) -> None:
        events = [{"pk": "shop"}, {"pk": "blog"}, {"pk": ["shop", "hats"]}, {}, 5, {"pk": "blog/x"}]
        response = post(anyone, "events", events, key)
        assert response.status_code == 202
        said = response.json()
        assert (said["accepted"], said["refused"]) == (2, 4)
        assert [(one["index"], one["field"], one["value"]) for one in said["errors"]] == [
            (1, "pk", "blog"),
            (3, "pk", None),
            (4, "event", 5),
            (5, "pk", "blog/x"),
        ]
        Hail.drain()
        assert (Whale.total("shop"), Whale.total("shop/hats"), Whale.total("blog")) == (2, 1, 0)

    def test_a_batch_of_others(self, key: str, anyone: APIClient) -> None:
        response = post(anyone, "events", [{"pk": "blog"}, {"pk": "mail"}], key)
        assert response.status_code == 403
        assert "'blog' will not do; the write key 'Partner'" in message(response)
        assert response.json()["refused"] == 2

    def test_many_decisions(self, key: str, anyone: APIClient) -> None:
        one = {"decision": "banner", "option": "b", "metrics": {"visitors": 1}}
        response = post(anyone, "count_decisions", [{**one, "pk": "shop"}, {**one, "pk": "blog"}, {"pk": "shop"}], key)
        assert response.status_code == 202
        said = response.json()
        assert (said["accepted"], [(at["index"], at["field"]) for at in said["errors"]]) == (
            1,
            [(1, "pk"), (2, "option")],
        )
        assert said["errors"][0]["value"] == "blog/banner"

    def test_collectd(self, key: str, anyone: APIClient) -> None:
        response = post(anyone, "collectd", [COLLECTD], key)
        assert (response.status_code, response.json()["errors"][0]["value"]) == (403, "collectd")
        assert post(anyone, "collectd", [COLLECTD], made("collectd")).status_code == 202

    def test_it_still_neither_reads_nor_resets(self, key: str, anyone: APIClient) -> None:
        for name in ("totals", "query", "rank", "plotpoints", "overlap", "reset"):
            assert post(anyone, name, {"pk": "shop"}, key).status_code == 403


class TestADatabaseThatIsAway:
    @pytest.fixture
    def key(self) -> str:
        key = made()
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE hailwhale_django_writekey RENAME TO away")
        return key

    def test_others_are_told_to_try_again(self, key: str, anyone: APIClient) -> None:
        for given in (key, "no key"):
            response = anyone.get("/hailwhale/count", {"pk": "shop", "key": given})
            assert (response.status_code, response["Retry-After"]) == (503, "1")
            assert "the database of write keys does not answer" in message(response)
        assert Whale.total("shop") == 0

    def test_those_of_the_setting_count(self, key: str, anyone: APIClient) -> None:
        assert anyone.get("/hailwhale/count", {"pk": "shop", "key": KEY}).status_code == 200

    def test_one_that_takes_no_writes_stops_nobody(self, anyone: APIClient) -> None:
        key = made()
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA query_only = 1")
            try:
                response = anyone.get("/hailwhale/count", {"pk": "shop", "key": key})
            finally:
                cursor.execute("PRAGMA query_only = 0")
        assert response.status_code == 200
        assert WriteKey.objects.get().last_used_on is None
