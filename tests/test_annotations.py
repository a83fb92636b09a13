"""Annotations: which concern a counter and a period, the JSON API, the command, and the admin."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from hailwhale_django.annotations import MOST, annotate, annotations_of, touching
from hailwhale_django.connection import pod
from hailwhale_django.engine.errors import InvalidInput
from hailwhale_django.models import Annotation
from tests.api import KEY, configured, who_may
from tests.test_write_keys import made

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_url")]

URL = "/hailwhale/annotations"
PAGES = "/admin/hailwhale_django/annotation/"
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(autouse=True)
def keyed(redis_url: str) -> Iterator[None]:
    with configured(STORES={"other": {"PREFIX": "other"}}), time_machine.travel("2026-11-21T23:42:00Z", tick=False):
        yield


def day(number: int, hour: int = 0) -> datetime:
    return datetime(2026, 11, number, hour, tzinfo=UTC)


def texts(found: list[Annotation]) -> list[str]:
    return [one.text for one in found]


def post(client: APIClient, body: Any, key: str = "") -> Any:
    headers = {"X-Hailwhale-Key": key} if key else {}
    return client.generic("POST", URL, json.dumps(body), content_type="application/json", headers=headers)


class TestTouching:
    """Of a period from 10 to 20 November."""

    def found(self, pk: Any = "shop") -> list[str]:
        return texts(touching("default", pk, day(10), day(20)))

    def test_moments(self) -> None:
        for number in (9, 10, 15, 20):
            annotate(f"on {number}", day(number))
        annotate("just before the end", day(19, 23))
        annotate("just before the beginning", day(9, 23))
        assert self.found() == ["on 10", "on 15", "just before the end"]

    def test_spans(self) -> None:
        for begin, end in ((1, 9), (1, 10), (1, 11), (1, 30), (12, 13), (19, 25), (20, 25)):
            annotate(f"{begin}-{end}", day(begin), day(end))
        annotate("10-10", day(10), day(10))
        assert self.found() == ["1-11", "1-30", "10-10", "12-13", "19-25"]

    def test_counters(self) -> None:
        for at, counter in enumerate(("", "shop", "shop/hats", "shop/hats/red", "blog", "_"), 1):
            annotate(counter or "all", day(10, at), counter=counter)
        assert self.found("shop") == ["all", "shop"]
        assert self.found(["shop", "hats"]) == ["all", "shop", "shop/hats"]
        assert self.found("mail") == ["all"]
        assert self.found("_") == ["all", "_"]
        assert len(self.found(None)) == 6

    def test_stores(self) -> None:
        annotate("elsewhere", day(12), store="other")
        assert self.found() == []
        assert texts(touching("other", "shop")) == ["elsewhere"]

    def test_of_too_many_the_latest(self) -> None:
        Annotation.objects.bulk_create(
            Annotation(text=str(number), at=day(11, number % 24).replace(minute=number // 24)) for number in range(120)
        )
        found = touching("default", "shop")
        assert len(found) == MOST == 100
        assert found == sorted(found, key=lambda one: one.at)
        assert found[-1].text == "119"
        assert texts(touching("default", "shop", limit=2)) == ["95", "119"]

    def test_a_period_and_one_query(self) -> None:
        annotate("in", day(18))
        annotate("out", day(10))
        period = pod().period("7d")
        with CaptureQueriesContext(connection) as queries:
            assert texts(annotations_of("default", "shop", period)) == ["in"]
        assert len(queries) == 1


class TestAnnotate:
    @pytest.mark.parametrize(
        ("given", "field"),
        [
            ({"text": ""}, "text"),
            ({"text": " \n"}, "text"),
            ({"text": "x" * 501}, "text"),
            ({"text": "a\0b"}, "text"),
            ({"text": 5}, "text"),
            ({"text": "x", "at": "soon"}, "at"),
            ({"text": "x", "until": "soon"}, "until"),
            ({"text": "x", "at": "2026-11-02", "until": "2026-11-01"}, "until"),
            ({"text": "x", "link": "javascript:alert(1)"}, "link"),
            ({"text": "x", "link": "nowhere"}, "link"),
            ({"text": "x", "counter": ["a"] * 9}, "counter"),
            ({"text": "x", "counter": ["a" * 200, "b" * 200]}, "counter"),
            ({"text": "x", "store": "third"}, "store"),
        ],
    )
    def test_what_will_not_do(self, given: dict[str, Any], field: str) -> None:
        with pytest.raises(InvalidInput) as raised:
            annotate(**given)
        assert raised.value.field == field
        assert not Annotation.objects.exists()

    def test_what_was_given(self) -> None:
        annotate(" Deployed\n 1.4 ", 1795304500, "2026-11-22T00:00:00", counter=["shop", "a/b"], who="w" * 300)
        found = Annotation.objects.get()
        assert (found.text, found.counter, found.who) == ("Deployed 1.4", "shop/a%2Fb", "w" * 200)
        assert (found.at.timestamp(), found.until) == (1795304500, day(22))


class TestApi:
    def test_a_key_that_may(self, anyone: APIClient) -> None:
        body = {"text": "Deployed 1.4", "link": "https://example.com/1.4"}
        answer = post(anyone, body, made(name="CI", annotates=True))
        assert answer.status_code == 201
        row = Annotation.objects.get()
        assert answer.json() == {
            "id": row.pk,
            "at": "2026-11-21T23:42:00+00:00",
            "until": None,
            "text": "Deployed 1.4",
            "link": "https://example.com/1.4",
            "counter": "",
            "store": "default",
            "who": "CI",
        }

    def test_keys_that_may_not(self, anyone: APIClient) -> None:
        for key in (KEY, made(annotates=False)):
            assert post(anyone, {"text": "x"}, key).status_code == 403
        assert post(anyone, {"text": "x"}, made(annotates=True, active=False)).status_code == 403
        assert post(anyone, {"text": "x"}).status_code == 403
        assert not Annotation.objects.exists()

    def test_a_key_of_some_counters(self, anyone: APIClient) -> None:
        key = made("shop", annotates=True)
        for fine in ("shop", "shop/hats", ["shop", "a/b"]):
            assert post(anyone, {"text": "x", "counter": fine}, key).status_code == 201
        for other in ("blog", "shops", "", None):
            answer = post(anyone, {"text": "x", "counter": other}, key)
            assert (answer.status_code, answer.json()["error"]["field"]) == (403, "counter")
        assert post(anyone, {"text": "x"}, key).status_code == 403
        assert Annotation.objects.count() == 3

    def test_users(self) -> None:
        user = User.objects.create_user("ada")
        user.user_permissions.set(Permission.objects.filter(codename="add_annotation"))
        client = APIClient(enforce_csrf_checks=True)
        client.force_login(user)
        assert "CSRF" in post(client, {"text": "x"}).json()["error"]["message"]
        client = APIClient()
        client.force_login(user)
        assert post(client, {"text": "x"}).json()["who"] == "ada"
        assert client.get(URL).status_code == 403
        other = User.objects.create_user("bob")
        other.user_permissions.set(Permission.objects.filter(codename="view_counter"))
        client.force_login(other)
        assert post(client, {"text": "x"}).status_code == 403
        assert client.get(URL).status_code == 200

    def test_who_cannot_be_said(self, anyone: APIClient) -> None:
        answer = post(anyone, {"text": "x", "who": "the boss"}, made(annotates=True))
        assert (answer.status_code, answer.json()["error"]["value"]) == (400, ["who"])

    def test_reading(self) -> None:
        for number, counter in ((1, ""), (10, "shop"), (15, "blog"), (20, "shop")):
            annotate(str(number), day(number), counter=counter)
        client = who_may("view_counter")

        def asked(**parameters: str) -> list[str]:
            return [one["text"] for one in client.get(URL, parameters).json()["annotations"]]

        assert asked() == ["1", "10", "15", "20"]
        assert asked(counter="shop") == ["1", "10", "20"]
        assert asked(counter="shop/hats") == ["1", "10", "20"]
        assert asked(**{"from": "2026-11-10", "until": "2026-11-20"}) == ["10", "15"]
        assert asked(store="other") == []

    @pytest.mark.parametrize("parameter", ["from", "until", "store", "period"])
    def test_what_cannot_be_asked(self, parameter: str) -> None:
        client = who_may("view_counter")
        answer = client.get(URL, {parameter: "whenever"})
        assert answer.status_code == 400

    def test_a_write_key_does_not_read(self, anyone: APIClient) -> None:
        assert anyone.get(URL, {"key": made(annotates=True)}).status_code == 403

    def test_no_get_writes(self, anyone: APIClient) -> None:
        assert anyone.get(URL, {"key": made(annotates=True), "text": "x"}).status_code == 403
        assert anyone.put(URL).status_code == 405


class TestCommand:
    def test_it_says_what_it_wrote(self) -> None:
        out = StringIO()
        call_command(
            "hailwhale_annotate", "Sale", "--at", "2026-11-20T08:00Z", "--until", "2026-11-21", "--counter", "shop",
            "--link", "https://example.com", "--who", "CI", stdout=out,
        )  # fmt: skip
        assert out.getvalue() == "2026-11-20 08:00 Sale\n"
        row = Annotation.objects.get()
        assert (row.at, row.until) == (day(20, 8), day(21))
        assert (row.counter, row.link, row.who) == ("shop", "https://example.com", "CI")

    def test_what_will_not_do(self) -> None:
        with pytest.raises(CommandError, match="at: 'soon' will not do"):
            call_command("hailwhale_annotate", "x", "--at", "soon")


class TestAdmin:
    def form(self, **given: str) -> dict[str, str]:
        at = {"at_0": "2026-11-20", "at_1": "08:00:00", "until_0": "", "until_1": ""}
        return {
            "text": "Sale",
            "counter": "shop / hats".replace(" ", ""),
            "link": "",
            "store": "default",
            **at,
            **given,
        }

    def test_who_wrote_it_is_known(self) -> None:
        client = who_may("add_annotation", "change_annotation", "view_annotation")
        assert client.post(f"{PAGES}add/", self.form()).status_code == 302
        row = Annotation.objects.get()
        assert (row.who, row.counter, row.at) == ("looker", "shop/hats", day(20, 8))
        row.who = "somebody else"
        row.save()
        client.post(f"{PAGES}{row.pk}/change/", self.form(text="Sale of hats"))
        row.refresh_from_db()
        assert (row.who, row.text) == ("somebody else", "Sale of hats")

    def test_what_will_not_do_is_told_at_its_field(self) -> None:
        client = who_may("add_annotation")
        wrong = self.form(
            until_0="2026-11-19", until_1="00:00:00", link="javascript:alert(1)", counter="/".join("abcdefghi")
        )
        text = client.post(f"{PAGES}add/", wrong).content.decode()
        assert "a path has at most 8 names" in text
        assert "Enter a valid URL" in text
        assert (
            "It ends before it begins"
            in client.post(f"{PAGES}add/", {**wrong, "link": "", "counter": ""}).content.decode()
        )

    def test_the_list(self) -> None:
        annotate(HOSTILE, day(20), counter="shop", who=HOSTILE)
        annotate("Deployed", day(1))
        client = who_may("view_annotation")
        text = client.get(PAGES).content.decode()
        assert "&lt;script&gt;alert(1)" in text and HOSTILE not in text
        assert "Deployed" not in client.get(PAGES, {"q": "shop"}).content.decode()
        assert "Deployed" in client.get(PAGES, {"at__day": "1", "at__month": "11", "at__year": "2026"}).content.decode()

    def test_who_may(self) -> None:
        assert who_may("view_counter").get(PAGES).status_code == 403
