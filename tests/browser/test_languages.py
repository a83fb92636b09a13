"""Pages in other languages in a browser: longer words fit narrow screens, and so does all that runs the other way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.test import override_settings

from tests.browser.test_accessible import FITS, pages

if TYPE_CHECKING:
    from tests.browser.dashboards import Board

__all__ = ["pages"]  # a fixture

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("language", ["de", "fr", "he"])
def test_pages_fit_narrow_screens(language: str, board: Board, pages: list[str]) -> None:
    board.look((390, 800))
    wide = []
    with override_settings(LANGUAGE_CODE=language):
        for page in pages:
            board.open(page)
            assert "/none/" in page or board.run("return document.documentElement.lang") == language
            if not board.run(FITS):
                wide.append(page)
    board.wait_for_complaint("404")  # the link that leads nowhere
    board.complaints()
    assert wide == []
