"""Keys, annotations and segments in a real browser: a key is copied and renewed, and pages fit screens of any size."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import Permission, User

from hailwhale_django.access_models import digest_of
from hailwhale_django.annotations import annotate
from hailwhale_django.models import Segment, WriteKey
from tests.browser.test_counters import DESK, PHONE, Browser

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

ADMIN = "/admin/hailwhale_django/"
RENEW = ".object-tools a[href$='/renew/']"
FITS = "return document.documentElement.scrollWidth <= innerWidth"
TOLD = "return document.getElementById('hw-key').textContent"


@pytest.fixture
def keeper(watcher: Browser) -> Browser:
    """One who may also make keys, annotations and segments."""
    user = User.objects.get(username="looker")
    for model in ("writekey", "annotation", "segment"):
        user.user_permissions.add(*Permission.objects.filter(content_type__model=model))
    return watcher


def test_a_key_is_copied_and_renewed(keeper: Browser) -> None:
    keeper.open(f"{ADMIN}writekey/add/")
    keeper.one("[name=name]").send_keys("Partner")
    keeper.one("[name=counters]").send_keys("shop\nblog")
    keeper.leave(keeper.one("[name=_save]").click)
    first = keeper.run(TOLD)
    assert WriteKey.objects.get().digest == digest_of(first)
    button = keeper.one("[data-copies=hw-key]")
    assert button.is_displayed()
    button.click()
    # Where the browser lets nobody write its clipboard, the key is selected.
    keeper.until(lambda: button.text == "Copied" or keeper.run("return String(getSelection())") == first)
    keeper.leave(keeper.link("Partner").click)
    keeper.leave(keeper.one(RENEW).click)
    keeper.leave(keeper.link("No, leave it").click)
    assert WriteKey.objects.get().digest == digest_of(first)
    keeper.leave(keeper.one(RENEW).click)
    keeper.leave(keeper.one("#content-main button").click)
    assert WriteKey.objects.get().digest == digest_of(keeper.run(TOLD)) != digest_of(first)
    keeper.open(f"{ADMIN}writekey/")
    assert keeper.all("#hw-key") == []


def test_without_javascript(keeper: Browser) -> None:
    keeper.command("Emulation.setScriptExecutionDisabled", value=True)
    keeper.open(f"{ADMIN}writekey/add/")
    keeper.one("[name=name]").send_keys("Partner")
    keeper.one("[name=_save]").click()
    keeper.until(lambda: keeper.all("#hw-key"))
    key = keeper.one("#hw-key").text
    assert WriteKey.objects.get().digest == digest_of(key)
    assert not keeper.one("[data-copies=hw-key]").is_displayed()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE])
def test_on_screens_of_any_size(size: tuple[int, int], scheme: str, keeper: Browser) -> None:
    row = WriteKey(name="A name that is long " * 4, counters=["shop", "Product/123"])
    row.renew()
    row.save()
    note = annotate("Deployed 1.4", datetime(2026, 11, 20, 16, tzinfo=UTC), counter="shop", who="CI")
    segment = Segment.objects.create(name="Phones", filters=["device/phone", "country/US"])
    keeper.look(size, scheme)
    for page in ("writekey/add/", f"writekey/{row.pk}/change/", f"writekey/{row.pk}/renew/", "writekey/",
                 "annotation/", "annotation/add/", f"annotation/{note.pk}/change/",
                 "segment/", "segment/add/", f"segment/{segment.pk}/change/"):  # fmt: skip
        keeper.open(ADMIN + page)
        assert keeper.run(FITS), page
