from __future__ import annotations

from django.contrib import admin
from django.urls import include, path
from django.views.generic import TemplateView

from example_project.entrance import enter
from example_project.flights.page import START_PATH

urlpatterns = [
    path("", TemplateView.as_view(template_name="home.html", extra_context={"flights": START_PATH}), name="home"),
    path("enter/<str:key>/", enter, name="enter"),
    path("shop/", include("example_project.shop.urls")),
    path("admin/", admin.site.urls),
    path("hailwhale/", include("hailwhale_django.urls")),
]
