"""Addresses for those who are not on the site: in mails and in what webhooks get."""

from __future__ import annotations

from django.urls import NoReverseMatch, reverse

from .. import conf
from ..dashboards.whystate import WhyState


def absolute(view: str, *arguments: object) -> str:
    """The address of a page of the admin; "" where `BASE_URL` is not set, or the site has no such page."""
    base = conf.get_settings().BASE_URL
    if not base:
        return ""
    try:
        return base.rstrip("/") + reverse(f"admin:hailwhale_django_{view}", args=arguments)
    except NoReverseMatch:
        return ""


def why(state: WhyState) -> str:
    """The address of the page that explains a change; "" as of `absolute`."""
    address = absolute("counter_why", str(state.pk))
    return address and address + state.query()
