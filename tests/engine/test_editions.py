"""Since when sketches are kept at an interval."""

from __future__ import annotations

from hailwhale_django.engine.domain.editions import MOST, Editions
from hailwhale_django.engine.domain.sketchbook import Sketchbook
from hailwhale_django.engine.domain.timeline import Interval

DAY, MONTH = Interval.parse("1d"), Interval.parse("1mo")

EVERYWHERE = Sketchbook()
DAILY = Sketchbook.parse({"uv:*": {"intervals": ["1d"], "dimensions": ["country"]}})
MONTHLY = Sketchbook.parse({"uv:*": {"intervals": ["1mo"]}})


def test_an_interval_is_kept_since_the_last_time_that_it_was_not() -> None:
    editions = Editions(()).then(EVERYWHERE, 0).then(DAILY, 10).then(MONTHLY, 20).then(EVERYWHERE, 30)
    assert (editions.since("uv:visitor", DAY), editions.since("uv:visitor", MONTH)) == (30, 20)
    assert (editions.since("pct:ms", DAY), editions.since("pct:ms", MONTH)) == (0, 0)


def test_what_does_not_change_is_not_noted() -> None:
    editions = Editions(()).then(DAILY, 0)
    assert editions.then(Sketchbook.parse({"uv:*": {"intervals": ["1d"], "dimensions": ["page"]}}), 10) == editions


def test_they_read_back_as_they_were_written() -> None:
    editions = Editions(()).then(EVERYWHERE, 0).then(DAILY, 10).then(Sketchbook.parse({"*": {}}), 20)
    assert Editions.parse(str(editions)) == editions


def test_the_first_of_very_many_are_forgotten() -> None:
    editions = Editions(())
    for now in range(MOST + 10):
        editions = editions.then(MONTHLY if now % 2 else EVERYWHERE, now)
    assert len(editions.books) == MOST
    assert editions.since("uv:visitor", MONTH) == 10
