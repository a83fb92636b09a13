"""Objects that count: each is a child counter of its class."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from hailwhale_django import HailWhaleModel, Whale, connection
from tests.engine.conftest import NOW, Clock
from tests.models import Elsewhere, Product, Vendor


@pytest.fixture(autouse=True)
def clock(redis_url: str, settings: Any) -> Iterator[Clock]:
    settings.HAILWHALE = {"REDIS": redis_url, "STORES": {"other": {"PREFIX": "other"}}}
    standing = Clock()
    for store in ("default", "other"):
        connection.pod(store).clock = standing
    yield standing
    for store in ("default", "other"):
        connection.pod(store).store.server.close()


@pytest.fixture
def product() -> Product:
    return Product(pk=123, vendor=Vendor(pk=7, code="acme"), maker=User(pk=3))


def test_an_object_is_a_child_counter_of_its_class(product: Product) -> None:
    product.count_now(metrics={"sales": 1})
    Product(pk="9").count_now(metrics={"sales": 5})
    assert product.hailwhale_pk == ["Product", "123"]
    assert (product.total("sales"), Whale.total("Product", "sales")) == (1, 6)
    assert Whale.counters("Product") == ["Product/123", "Product/9"]
    assert list(Whale.rank("Product", "sales", counters=True)) == ["9", "123"]


def test_every_call_is_the_whale_s_on_this_object(product: Product) -> None:
    product.count_now({"country": "US"}, {"revenue": 10.5}, NOW - timedelta(days=1))
    product.count_now(dimension={"country": "DE"}, metric={"revenue": 2})
    pk = ["Product", "123"]
    assert product.total("revenue") == 12.5
    assert (product.today("revenue"), product.yesterday("revenue")) == (2, 10.5)
    assert product.totals(metric="revenue", period="mtd") == Whale.totals(pk, metric="revenue", period="mtd")
    assert product.plotpoints("country", "revenue", 1) == Whale.plotpoints(pk, "country", "revenue", 1)
    assert product.plotpoints(metrics="revenue")["_"] == product.plotpoints(metrics="revenue")[pk]
    assert list(product.rank("revenue", "country")) == ["country/US", "country/DE"]
    product.update_count_to("stock", {"items": 17})
    assert product.total("items", "stock") == 17
    product.reset_counts("country")
    assert product.total("revenue", "country") == 0
    product.reset_counts()
    assert (product.total("revenue"), Whale.total("Product", "revenue")) == (0, 12.5)


def test_what_identifies_an_object_is_its_own_to_say() -> None:
    Vendor(pk=7, code="acme").count_now()
    assert Whale.counters("Vendor") == ["Vendor/acme"]


def test_an_object_that_was_not_saved_does_not_count() -> None:
    with pytest.raises(ValueError, match="Product has no pk yet; save it before counting"):
        Product().count_now()
    assert Whale.counters() == []


def test_a_model_may_count_into_another_store() -> None:
    Elsewhere(pk=1).count_now(metrics={"sales": 3})
    assert (Whale.counters(), Whale.using("other").counters()) == ([], ["Elsewhere"])
    assert Elsewhere(pk=1).total("sales") == 3


def test_counting_by_a_related_object(product: Product) -> None:
    """The dimension {RelatedClass: {its identity: dimensions}}, which reads back what was written."""
    product.count_now_related("vendor", {"country": "US"}, {"revenue": 10})
    product.count_now_related("vendor", metric={"revenue": 5})
    product.count_now_related("maker", metrics={"revenue": 1}, at=NOW - timedelta(days=1))
    assert Whale.all_subdimensions(product.hailwhale_pk) == [
        "_", "Vendor", ["Vendor", "acme"], ["Vendor", "acme", "country"], ["Vendor", "acme", "country", "US"], "User",
        ["User", "3"],
    ]  # fmt: skip
    assert product.total_related("vendor", "revenue") == 15
    assert product.total_related("maker", "revenue", period="yesterday") == 1
    assert product.total_related("vendor") == 2
    assert product.totals_related("vendor", metric="revenue", period="today") == {
        "today": {"Vendor/acme": {"revenue": 15}}
    }
    points = product.plotpoints_related("vendor", "revenue", depth=2, period="1d:1d")
    assert list(points) == ["Vendor/acme", "Vendor/acme/country", "Vendor/acme/country/US"]
    assert points["Vendor/acme"]["revenue"] == {"11/20/99": 0, "11/21/99": 15}
    assert product.total("revenue") == 16


def test_a_relation_to_nobody_is_refused() -> None:
    with pytest.raises(ValueError, match="no vendor to count by"):
        Product(pk=1).count_now_related("vendor")
    assert Whale.counters() == []


def test_the_mixin_is_abstract_and_adds_no_fields() -> None:
    assert HailWhaleModel._meta.abstract
    assert [field.name for field in Elsewhere._meta.fields] == ["id"]
