from __future__ import annotations

from django.urls import path

from example_project.shop import views

app_name = "shop"

urlpatterns = [
    path("", views.index, name="index"),
    path("numbers/", views.numbers, name="numbers"),
    path("visitors/", views.send, name="send"),
    path("cart/", views.cart, name="cart"),
    path("cart/buy/", views.buy, name="buy"),
    path("cart/<slug:slug>/add/", views.add, name="add"),
    path("cart/<slug:slug>/remove/", views.remove, name="remove"),
    path("<slug:slug>/", views.product, name="product"),
]
