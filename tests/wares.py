"""An admin of models whose objects were counted on; the second site has no pages of counters."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.urls import path

from hailwhale_django import HailWhaleAdminMixin
from tests import urls
from tests.models import BoxedWare, Crate, Lot, Ware


class WareAdmin(HailWhaleAdminMixin, admin.ModelAdmin):
    list_display = ("name", "price")
    list_filter = ("kind",)
    search_fields = ("name",)
    date_hierarchy = "made"
    list_per_page = 3
    list_max_show_all = 50
    ordering = ("name",)
    hailwhale_columns: ClassVar[Any] = ["visitors", ("revenue/visitors", "worth <of> one")]
    hailwhale_period = "7d"


class EditedAdmin(WareAdmin):
    list_editable = ("price",)
    hailwhale_ordering = "-revenue/visitors"


class CrateAdmin(HailWhaleAdminMixin, admin.ModelAdmin):
    list_display = ("code",)
    list_per_page = 100
    hailwhale_columns = ("visitors", "top:sum:page", "uv:visitor")
    hailwhale_parent = "stock"
    hailwhale_attribute = "code"


class OfHitsAdmin(HailWhaleAdminMixin, admin.ModelAdmin):
    list_display = ("__str__",)
    hailwhale_columns = ("hits",)
    hailwhale_ordering = "-hits"


class StockAdmin(CrateAdmin):
    hailwhale_columns = ("visitors", "hits/visitors")


default = admin.AdminSite("admin")
default._registry.update(admin.site._registry)
default.register(Ware, WareAdmin)
default.register(Crate, CrateAdmin)
default.register([Lot, BoxedWare], OfHitsAdmin)

other = admin.AdminSite("other")
other.register(Ware, EditedAdmin)
other.register(Crate, StockAdmin)

urlpatterns = [path("admin/", default.urls), path("other/", other.urls), *urls.urlpatterns[1:]]
