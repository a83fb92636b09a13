"""Sentences of findings: in English just what the engine says, in other languages with their numbers and marks."""

from __future__ import annotations

from math import inf, nan

import pytest
from django.test import override_settings
from django.utils import translation

from hailwhale_django import Whale
from hailwhale_django.dashboards import sentences, writing
from hailwhale_django.dashboards.caveats import caveat
from hailwhale_django.dashboards.column import duration, size
from hailwhale_django.engine.decide.balance import Balance
from hailwhale_django.engine.decide.guardrails import Guarded, Guardrail
from hailwhale_django.engine.decide.overlap import Overlap
from hailwhale_django.engine.decide.ratio import Difference, Interval
from hailwhale_django.engine.decide.remaining import Remaining
from hailwhale_django.engine.decide.sequential import Comparison, Leader
from hailwhale_django.engine.domain.plan import NOT_RETAINED, UNALIGNED, ZONE_INEXACT

NONE = Interval(0.0, -inf, inf)
LANGUAGES = ("de", "fr")


def leader(*open_: str, decided: int = 1) -> Leader:
    certain = [Comparison("a", f"no{at}", Difference(NONE, NONE), 0.01, 0.05, True) for at in range(decided)]
    return Leader("a", (*certain, *(Comparison("a", name, Difference(NONE, NONE), 0.5, 0.05, True) for name in open_)))


def left(value: float) -> Remaining:
    return Remaining(("a", "b"), "b", 0.9, (0.1, 0.0), value)


def guarded(value: float, lower: float, upper: float, tolerated: float = 0.1, enough: bool = True) -> Guarded:
    return Guarded(Guardrail("returns/sales", True, tolerated), "b", "a", Interval(value, lower, upper), enough)


BALANCES = (
    Balance(("a",), (3.0,), (3.0,), 0.0, 0, 1.0),
    Balance(("a", "b"), (500.0, 510.0), (505.0, 505.0), 0.1, 1, 0.7),
    Balance(("a", "b"), (1200.0, 2800.0), (2000.0, 2000.0), 640.0, 1, 0.0),
)
LEFT = (left(0.0), left(nan), left(0.004), left(0.123))
GUARDED = (
    guarded(0.0, -1, 1, enough=False),
    guarded(0.02, -0.01, 0.05),
    guarded(0.02, -0.01, 0.25),
    guarded(0.02, -0.01, inf),
    guarded(0.09, 0.03, 0.15),
    guarded(0.3, 0.2, 0.4),
)
OVERLAPS = (
    Overlap(5000, 4000.0, 0.001, 0.0, 1.0, 0.1),
    Overlap(5000, 4000.0, 0.001, 0.12, 1.0, 0.1),
    Overlap(5000, 42.4, 0.001, 0.0, 1.0, 0.1),
    Overlap(5000, 400.0, 0.09, 0.0, 1.0, 0.1),
    Overlap(5000, 400.0, 0.01, 0.0, 1.25, 9.0),
)
LEADERS = (leader(), leader("b"), leader("b", "c"), leader("b", "c", "d", "e", "f"))


def told() -> list[tuple[str, str]]:
    """Each sentence beside the engine's."""
    return [
        *((sentences.split(one), one.words) for one in BALANCES),
        *((sentences.left(one), one.words) for one in LEFT),
        *((sentences.guard(one), one.words) for one in GUARDED),
        *((sentences.doubt(one), one.words) for one in OVERLAPS),
        *((sentences.lead(one, "sales"), one.words("sales")) for one in LEADERS),
    ]


def test_in_english_they_are_the_engine_s() -> None:
    for sentence, words in told():
        assert sentence == words


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_are_translated(language: str) -> None:
    with translation.override(language):
        for sentence, words in told():
            assert sentence != words or not words


def test_numbers_are_the_language_s() -> None:
    with translation.override("de"):
        assert "a wurde 1.200-mal zugewiesen, wo 2.000 zu erwarten waren" in sentences.split(BALANCES[2])
        assert "bis zu 12,3\N{NO-BREAK SPACE}% besser" in sentences.left(LEFT[3])
        assert sentences.lead(LEADERS[3], "x").endswith("b, c, d und 2 weitere.")
        assert size(1_530_000) == "1,53 MB"
        assert duration(3 * 86_400) == "3 Tage"
        assert writing.percent(0.161) == "16,1\N{NO-BREAK SPACE}%"
    with translation.override("fr"):
        assert "a a été attribuée 1\N{NO-BREAK SPACE}200 fois" in sentences.split(BALANCES[2])
        assert size(1_530_000) == "1,53 Mo"
        assert writing.percent(0.161) == "16,1\N{NARROW NO-BREAK SPACE}%"


def test_zero_of_something_is_one_in_french_and_many_in_german() -> None:
    with translation.override("fr"):
        assert translation.ngettext("%(count)s day", "%(count)s days", 0) % {"count": 0} == "0 jour"
    with translation.override("de"):
        assert translation.ngettext("%(count)s day", "%(count)s days", 0) % {"count": 0} == "0 Tage"


@pytest.mark.parametrize("warning", [NOT_RETAINED, UNALIGNED, ZONE_INEXACT])
def test_caveats(warning: str) -> None:
    assert caveat(warning) == warning
    with translation.override("de"):
        assert caveat(warning) != warning
        assert caveat(f"compared period: {warning}") == f"Vergleichszeitraum: {caveat(warning)}"
    assert caveat("something new") == "something new"


def test_a_caveat_of_a_sketch_is_what_the_reader_says(redis_url: str) -> None:
    with override_settings(HAILWHALE={"REDIS": redis_url, "SKETCHES": {"uv:visitor": {"dimensions": ["device"]}}}):
        Whale.count_now("shop", {"country": "US"}, {"uv:visitor": "v"})
        (warning,) = Whale.query("shop", dimension="country", metrics=["uv:visitor"]).warnings
    assert caveat(warning) == warning
    with translation.override("fr"):
        said = "uv:visitor n’est pas conservé pour country\N{NARROW NO-BREAK SPACE}: voir le réglage SKETCHES"
        assert caveat(warning) == said
