"""Sentences of explanations by hand: every one there is, with all that stands in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from hailwhale_django.engine.domain.formula import parse
from hailwhale_django.engine.domain.paths import ROOT, Path
from hailwhale_django.engine.domain.period import parse_period
from hailwhale_django.engine.explain import words
from hailwhale_django.engine.explain.explanation import Cause, Explanation, How, Part, Verdict
from hailwhale_django.engine.explain.region import Region
from hailwhale_django.engine.explain.words import Value, sentences

PERIOD = parse_period("7d", now=datetime(2099, 11, 21, tzinfo=UTC), zone=UTC, tzoffset=None)
TEMPLATES = {text for name, text in vars(words).items() if name.isupper() and isinstance(text, str)}


def explanation(
    before: float, now: float, verdict: Verdict, causes: Sequence[Cause] = (), times: tuple[int, int] | None = None
) -> Explanation:
    return Explanation(
        pk=Path.parse("shop"),
        dimension=ROOT,
        formula=parse("orders/visits"),
        period=PERIOD,
        compare=PERIOD,
        before=before,
        now=now,
        ordinary=1.0,
        verdict=verdict,
        causes=tuple(causes),
        times=times,
    )


def cause(
    how: How,
    share: float,
    values: tuple[float | None, float | None] = (3, 5),
    weights: tuple[float | None, float | None] = (0.25, 0.5),
    times: tuple[int, int] | None = None,
    counters: bool = False,
) -> Cause:
    path = Path(("7",)) if counters else Path.parse("country/US/CA")
    part = Part(path, *values, part=1, rate=0.5, mix=0.5, weight_before=weights[0], weight=weights[1])
    return Cause(part, how, share, score=7.0, without=17.0, times=times, counters=counters)


def write(value: Value) -> str:
    """Numbers as they are, percents as such, and buckets as ` in 2-3`."""
    match value.kind, value.of:
        case "times", None:
            return ""
        case "times", (begin, end):
            return f" in {begin}-{end}"
        case "percent", float(share):
            return f"{share:.0%}"
        case "change", float(change):
            return f"{change:+.0%}"
        case "region", Region() as region:
            return f"#{region.path}" if region.counters else str(region.path)
        case ("value" | "supposed", int() | float()) | ("formula", _):
            return str(value.of)
        case _, None:
            return "?"
    raise AssertionError(value)


def said(found: Explanation) -> list[str]:
    return [sentence.written(write) for sentence in sentences(found)]


FURTHER = cause("more", 0.5)

CASES: list[tuple[Explanation, list[str]]] = [
    (explanation(10, 15, "ordinary"), [
        "orders/visits rose from 10 to 15 (+50%).",
        "That is no more than it usually changes from one period to the next; nothing stands out.",
    ]),
    (explanation(10, 5, "alike"), [
        "orders/visits fell from 10 to 5 (-50%).",
        "Nothing in particular: no part of it went another way than the rest by more than is usual.",
    ]),
    (explanation(10, 5, "alike", times=(2, 3)), [
        "orders/visits fell from 10 to 5 (-50%).",
        "Nothing in particular: no part of it went another way than the rest by more than is usual.",
        "Most of it came about in a part of the period in 2-3.",
    ]),
    (explanation(10, 10, "same"), ["orders/visits stayed at 10."]),
    (explanation(0, 5, "nothing"), [
        "orders/visits rose from 0 to 5.",
        "Nothing was counted in one of the two periods, so there is nothing to compare.",
    ]),
    (explanation(5, -5, "ordinary", times=(0, 1)), [
        "orders/visits fell from 5 to -5.",
        "That is no more than it usually changes from one period to the next; nothing stands out.",
    ]),
    (explanation(1, 12, "causes", [cause("rate", 0.8, times=(4, 6))], times=(5, 6)), [
        "orders/visits rose from 1 to 12.",
        "Most of it came about in a part of the period in 5-6.",
        "80% of that is country/US/CA, where it rose from 3 to 5 in 4-6.",
        "Had it changed as the rest did, orders/visits would be 17.0.",
    ]),
    (explanation(-10, -5, "causes", [cause("less", 0.8, (5, 3)), FURTHER]), [
        "orders/visits rose from -10 to -5 (+50%).",
        "80% of that is country/US/CA, where it fell from 5 to 3.",
        "Had it changed as the rest did, orders/visits would be 17.0.",
        "50% of that is country/US/CA, where it rose from 3 to 5.",
    ]),
    (explanation(10, 15, "causes", [cause("mix", 0.3), cause("mix", 0.2, weights=(0.5, 0.25))]), [
        "orders/visits rose from 10 to 15 (+50%).",
        "30% of that is the mix: country/US/CA (at 5) has more weight, 25% before and 50% now.",
        "Had it changed as the rest did, orders/visits would be 17.0.",
        "20% of that is the mix: country/US/CA (at 5) has less weight, 50% before and 25% now.",
    ]),
    (explanation(10, 15, "causes", [cause("new", 0.3, (None, 5)), cause("gone", 0.3, (3, None))]), [
        "orders/visits rose from 10 to 15 (+50%).",
        "30% of that is country/US/CA, which was not there before (5).",
        "Had it changed as the rest did, orders/visits would be 17.0.",
        "30% of that is country/US/CA, which is there no more (it had 3).",
    ]),
    (explanation(10, 15, "causes", [cause("rate", -0.3), cause("rate", -0.3, (5, 3), times=(1, 1))]), [
        "orders/visits rose from 10 to 15 (+50%).",
        "Against that, country/US/CA rose from 3 to 5.",
        "Against that, country/US/CA fell from 5 to 3 in 1-1.",
    ]),
    (explanation(10, 15, "causes", [cause("mix", -0.3), cause("mix", -0.2, weights=(0.5, 0.25))]), [
        "orders/visits rose from 10 to 15 (+50%).",
        "Against that, country/US/CA (at 5) has more weight, 50% now.",
        "Against that, country/US/CA (at 5) has less weight, 25% now.",
    ]),
    (explanation(10, 15, "causes", [cause("new", -0.3, (None, 5)), cause("gone", 0.0, (3, None))]), [
        "orders/visits rose from 10 to 15 (+50%).",
        "Against that, country/US/CA was not there before (5).",
        "Against that, country/US/CA is there no more (it had 3).",
    ]),
    (explanation(10, 15, "causes", [cause("more", 1.25, counters=True)]), [
        "orders/visits rose from 10 to 15 (+50%).",
        "125% of that is #7, where it rose from 3 to 5.",
        "Had it changed as the rest did, orders/visits would be 17.0.",
    ]),
    # Of no change there are no parts; each is told by itself.
    (explanation(15, 15, "causes", [cause("more", 0.0, (5, 10)), cause("less", 0.0, (10, 5), times=(1, 1))]), [
        "orders/visits stayed at 15.",
        "In country/US/CA it rose from 5 to 10.",
        "Had it changed as the rest did, orders/visits would be 17.0.",
        "In country/US/CA it fell from 10 to 5 in 1-1.",
    ]),
    # Nor are parts of what is left, where causes make up for each other.
    (explanation(10, 11, "causes", [cause("rate", -2.5, (5, 3)), cause("mix", 3.5, times=(2, 4))]), [
        "orders/visits rose from 10 to 11 (+10%).",
        "In country/US/CA it fell from 5 to 3.",
        "Had it changed as the rest did, orders/visits would be 17.0.",
        "country/US/CA (at 5) has more weight, 50% now in 2-4.",
    ]),
    (explanation(10, 11, "causes", [cause("new", 9.0, (None, 5)), cause("gone", -7.5, (3, None)),
                                    cause("mix", -0.5, weights=(0.5, 0.25))], times=(5, 6)), [
        "orders/visits rose from 10 to 11 (+10%).",
        "Most of it came about in a part of the period in 5-6.",
        "country/US/CA was not there before (5).",
        "Had it changed as the rest did, orders/visits would be 17.0.",
        "country/US/CA is there no more (it had 3).",
        "country/US/CA (at 5) has less weight, 25% now.",
    ]),
    # Twice the change is still a part of it.
    (explanation(10, 11, "causes", [cause("more", 2.0), cause("less", -1.0, (5, 3))]), [
        "orders/visits rose from 10 to 11 (+10%).",
        "200% of that is country/US/CA, where it rose from 3 to 5.",
        "Had it changed as the rest did, orders/visits would be 17.0.",
        "Against that, country/US/CA fell from 5 to 3.",
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("found", "expected"), CASES)
def test_what_is_said(found: Explanation, expected: list[str]) -> None:
    assert said(found) == expected


def test_every_sentence_there_is_is_said_of_something() -> None:
    told = {sentence.text for found, _ in CASES for sentence in sentences(found)}
    assert told == TEMPLATES
    assert len(TEMPLATES) == 28


def test_all_that_is_in_a_sentence_is_known_whatever_the_language() -> None:
    """A translation may have any of the values in any order, each once or more."""
    for found, _ in CASES:
        for sentence in sentences(found):
            places = set(re.findall(r"%\((\w+)\)s", sentence.text))
            assert places <= set(sentence.values)
            backwards = " ".join(f"%({place})s" for place in sorted(sentence.values, reverse=True))
            expected = " ".join(write(sentence.values[place]) for place in sorted(sentence.values, reverse=True))
            assert sentence.written(write, {sentence.text: backwards}.__getitem__) == expected


@pytest.mark.parametrize(
    ("before", "now", "relative"),
    [(10, 109, "+990%"), (10, 111, None), (100, 1, "-99%"), (0, -5, None), (-5, 5, None), (-10, -20, "-100%")],
)
def test_a_change_is_a_percentage_where_that_tells_anything(before: float, now: float, relative: str | None) -> None:
    verb = "rose" if now > before else "fell"
    change = f"orders/visits {verb} from {before} to {now}"
    assert said(explanation(before, now, "alike"))[0] == (f"{change} ({relative})." if relative else f"{change}.")


def test_a_percent_sign_in_a_name_is_but_a_name() -> None:
    part = cause("more", 0.8).part._replace(path=Path(("country", "50% off %(child)s")))
    (_, told, *_) = said(explanation(10, 15, "causes", [Cause(part, "more", 0.8, 7.0, 17.0)]))
    assert told == "80% of that is country/50%25 off %25(child)s, where it rose from 3 to 5."
