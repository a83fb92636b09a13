"""Segments: who sees and changes which, and their form in the admin."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, Permission, User
from django.test import Client

from hailwhale_django.models import Segment

pytestmark = pytest.mark.django_db

PAGES = "/admin/hailwhale_django/segment/"
ALL = ("view_segment", "add_segment", "change_segment", "delete_segment")


def user(name: str, **given: Any) -> User:
    found = User.objects.create_user(name, is_staff=True, **given)
    found.user_permissions.set(Permission.objects.filter(codename__in=ALL))
    return found


@pytest.fixture
def people() -> dict[str, Any]:
    return {"ada": user("ada"), "bob": user("bob"), "root": user("root", is_superuser=True), "": AnonymousUser()}


@pytest.fixture
def segments(people: dict[str, Any]) -> None:
    for owner, everyone in (("ada", True), ("ada", False), ("bob", True), ("bob", False), ("", True), ("", False)):
        name = f"{owner or 'nobody'} {'shared' if everyone else 'private'}"
        Segment.objects.create(
            name=name, filters=["country/US"], owner=people[owner] if owner else None, everyone=everyone
        )


def client_of(someone: Any) -> Client:
    client = Client()
    client.force_login(someone)
    return client


@pytest.mark.usefixtures("segments")
class TestWhoSees:
    SHARED = ["ada shared", "bob shared", "nobody shared"]

    def test_visible(self, people: dict[str, Any]) -> None:
        def seen(name: str) -> list[str]:
            return [segment.name for segment in Segment.objects.visible_to(people[name])]

        assert seen("ada") == ["ada private", *self.SHARED]
        assert seen("bob") == ["ada shared", "bob private", "bob shared", "nobody shared"]
        assert seen("") == self.SHARED
        assert len(seen("root")) == 6

    def test_in_the_admin(self, people: dict[str, Any]) -> None:
        text = client_of(people["ada"]).get(PAGES).content.decode()
        assert "ada private" in text and "bob shared" in text and "bob private" not in text

    def test_others_are_looked_at_and_not_changed(self, people: dict[str, Any]) -> None:
        client = client_of(people["ada"])
        form = {"name": "mine now", "filters": "country/DE", "store": "default"}
        answers = {row.name: client.post(f"{PAGES}{row.pk}/change/", form).status_code for row in Segment.objects.all()}
        assert answers["bob shared"] == 403
        names = list(Segment.objects.values_list("name", flat=True))
        assert sorted(names) == ["bob private", "bob shared", "mine now", "mine now", "mine now", "nobody private"]

    def test_others_are_not_removed(self, people: dict[str, Any]) -> None:
        ids = list(Segment.objects.values_list("pk", flat=True))
        asked = {"action": "delete_selected", "_selected_action": ids, "post": "yes"}
        client_of(people["ada"]).post(PAGES, asked)
        assert Segment.objects.count() == 6
        mine = [row.pk for row in Segment.objects.filter(owner=people["ada"])]
        client_of(people["ada"]).post(PAGES, {**asked, "_selected_action": mine})
        assert Segment.objects.count() == 4


class TestForm:
    def test_filters_are_lines(self, people: dict[str, Any]) -> None:
        form = {"name": "Phones", "filters": "country/US\r\n\r\n device/phone ", "store": "default", "everyone": "on"}
        client = client_of(people["ada"])
        assert client.post(f"{PAGES}add/", form).status_code == 302
        row = Segment.objects.get()
        assert (row.filters, row.owner, row.everyone) == (["country/US", "device/phone"], people["ada"], True)
        assert "country/US\ndevice/phone</textarea>" in client.get(f"{PAGES}{row.pk}/change/").content.decode()
        assert "country/US, device/phone" in client.get(PAGES).content.decode()
        client_of(people["root"]).post(f"{PAGES}{row.pk}/change/", {**form, "name": "Telephones"})
        row.refresh_from_db()
        assert (row.name, row.owner) == ("Telephones", people["ada"])

    @pytest.mark.parametrize(
        ("filters", "told"),
        [("country", "name a value of a dimension"), (" ", "This field is required"), ("a/1\n" * 6, "name at most 5")],
    )
    def test_what_will_not_do(self, filters: str, told: str, people: dict[str, Any]) -> None:
        form = {"name": "x", "filters": filters, "store": "default"}
        assert told in client_of(people["ada"]).post(f"{PAGES}add/", form).content.decode()
        assert not Segment.objects.exists()
