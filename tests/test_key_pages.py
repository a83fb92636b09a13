"""Write keys in the admin: shown once, renewed when asked twice, and by those who may."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from hailwhale_django.access_models import digest_of
from hailwhale_django.models import WriteKey
from tests.api import who_may

pytestmark = pytest.mark.django_db

PAGES = "/admin/hailwhale_django/writekey/"
SHOWN = re.compile(r'<code id="hw-key">([\w-]{43})</code>')
EDIT = ("view_writekey", "add_writekey", "change_writekey")


@pytest.fixture
def client() -> Client:
    return who_may(*EDIT)


def made(client: Client, **given: str) -> tuple[WriteKey, str]:
    answer = client.post(f"{PAGES}add/", {"name": "Partner", "active": "on", **given}, follow=True)
    (key,) = SHOWN.findall(answer.content.decode())
    return WriteKey.objects.get(), key


def test_it_is_shown_once(client: Client) -> None:
    row, key = made(client, counters="shop\r\n\r\nblog/news")
    assert (row.counters, row.annotates, row.active) == (["shop", "blog/news"], False, True)
    assert (row.digest, row.beginning) == (digest_of(key), key[:6])
    for page in (PAGES, f"{PAGES}{row.pk}/change/", f"{PAGES}{row.pk}/history/"):
        text = client.get(page).content.decode()
        assert key not in text and row.digest not in text
    assert f"{key[:6]}…" in client.get(PAGES).content.decode()
    assert "shop, blog/news" in client.get(PAGES).content.decode()


def test_the_page_can_copy_it(client: Client) -> None:
    text = client.post(f"{PAGES}add/", {"name": "Partner", "active": "on"}, follow=True).content.decode()
    assert 'data-copies="hw-key"' in text
    assert '<script src="/static/hailwhale_django/js/copy.js" type="module"></script>' in text


def test_a_change_keeps_the_key(client: Client) -> None:
    row, key = made(client)
    answer = client.post(f"{PAGES}{row.pk}/change/", {"name": "Other", "counters": "shop"}, follow=True)
    assert not SHOWN.search(answer.content.decode())
    row.refresh_from_db()
    assert (row.name, row.active, row.digest) == ("Other", False, digest_of(key))


def test_what_is_no_counter_is_told(client: Client) -> None:
    text = client.post(f"{PAGES}add/", {"name": "x", "counters": "a/b/c/d/e/f/g/h/i"}).content.decode()
    assert "a path has at most 8 names" in text
    assert not WriteKey.objects.exists()


def test_renewing_asks_first(client: Client) -> None:
    row, key = made(client)
    renew = f"{PAGES}{row.pk}/renew/"
    assert f'href="{renew}"' in client.get(f"{PAGES}{row.pk}/change/").content.decode()
    assert f"The one that begins with {key[:6]} stops counting at once" in " ".join(
        client.get(renew).content.decode().split()
    )
    row.refresh_from_db()
    assert row.digest == digest_of(key)
    (new,) = SHOWN.findall(client.post(renew, follow=True).content.decode())
    row.refresh_from_db()
    assert new != key
    assert (row.digest, row.beginning) == (digest_of(new), new[:6])
    assert "Renewed." in client.get(f"{PAGES}{row.pk}/history/").content.decode()
    assert client.post(f"{PAGES}999/renew/").status_code == 404


def test_who_may() -> None:
    row = WriteKey(name="<b>Partner</b>")
    row.renew()
    row.save()
    client = who_may("view_writekey")
    text = client.get(PAGES).content.decode()
    assert "&lt;b&gt;Partner" in text and "<b>Partner" not in text
    assert "renew/" not in client.get(f"{PAGES}{row.pk}/change/").content.decode()
    for answer in (
        client.get(f"{PAGES}{row.pk}/renew/"),
        client.post(f"{PAGES}{row.pk}/renew/"),
        client.get(f"{PAGES}add/"),
    ):
        assert answer.status_code == 403
    before = row.digest
    row.refresh_from_db()
    assert row.digest == before


def test_renewing_needs_a_csrf_token() -> None:
    row, _ = made(client := who_may(*EDIT))
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = client.cookies
    assert strict.post(f"{PAGES}{row.pk}/renew/").status_code == 403
