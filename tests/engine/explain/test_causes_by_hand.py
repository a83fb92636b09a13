"""Which of few candidates is named, and with how much of an effect: worlds of a dozen numbers, worked out by hand."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from hailwhale_django.engine.domain.formula import parse
from hailwhale_django.engine.domain.paths import Path
from hailwhale_django.engine.domain.values import Floats
from hailwhale_django.engine.explain.causes import Suspects, find
from hailwhale_django.engine.explain.excess import Alike
from hailwhale_django.engine.explain.measure import Measure
from hailwhale_django.engine.explain.ordinary import Ordinary, Scatter
from hailwhale_django.engine.explain.region import Key, Region

Row = tuple[float, float, float]
"""What a candidate had before, what it has now, and how far its effect goes by chance (a standard deviation)."""


def key(path: str) -> Key:
    return Region(Path.parse(path)).key


def found(
    rows: Mapping[str, Row],
    whole: tuple[float, float],
    *,
    both: Mapping[str, float] | None = None,
    news: float = 0,
) -> dict[str, float]:
    """The effects of the causes by their paths. `both` says what was counted where two meet, over both periods.

    There are no buckets, so that nobody is known to tremble with another.
    """
    measure = Measure(parse("hits"))
    before, now, deviation = np.array(list(rows.values()), dtype=np.float64).T
    amounts = {key(path): row[0] + row[1] for path, row in rows.items()} | {frozenset(): sum(whole)}
    amounts |= {key(path): amount for path, amount in (both or {}).items()}

    def amount(one: Key) -> Floats | None:
        return np.array([amounts[one]], dtype=np.float64) if one in amounts else None

    none = np.zeros((0, len(rows)))
    causes = find(
        Suspects(
            measure=measure,
            alike=Alike.of(measure, [False]),
            regions=[Region(Path.parse(path)) for path in rows],
            twins=[[Region(Path.parse(path))] for path in rows],
            before=before[None],
            now=now[None],
            whole_before=np.array(whole[:1], dtype=np.float64),
            whole_now=np.array(whole[1:], dtype=np.float64),
            shared=np.zeros(0),
            ordinary=Ordinary(deviation**2, np.full(len(rows), 1000.0)),
            scatter=Scatter(none, none, deviation**2),
            amount=amount,
            news=news,
        )
    )
    return {list(rows)[cause.at]: cause.effect for cause in causes}


# --- each is told without the others

FIVE: dict[str, Row] = {
    "country/US": (100, 150, 5),
    "country/DE": (100, 60, 5),
    "country/FR": (100, 100, 5),
    "country/IT": (100, 100, 5),
    "country/GB": (100, 100, 5),
}


def test_of_two_each_is_told_as_if_the_other_had_not_been() -> None:
    """Beside the fall of the one, the rise of the other looks like 60: 150 - 360/4. Without it, it is 50, and 40."""
    effects = found(FIVE, (500, 510))
    assert set(effects) == {"country/US", "country/DE"}
    assert effects["country/US"] == pytest.approx(50, abs=0.1)
    assert effects["country/DE"] == pytest.approx(-40, abs=0.1)


def test_of_one_there_is_nothing_to_tell_anew() -> None:
    assert found(FIVE | {"country/DE": (100, 100, 5)}, (500, 550)) == {"country/US": 50}


def test_three_of_five() -> None:
    """The two that stayed say what would have been; how far the third is off goes with how often all are told anew."""
    effects = found(FIVE | {"country/FR": (100, 180, 5)}, (500, 590))
    expected = {"country/US": 50, "country/DE": -40, "country/FR": 80}
    assert effects == pytest.approx(expected, abs=2)


# --- without whom least is left

CROSSED: dict[str, Row] = {
    "device/mobile": (100, 200, 20),
    "device/desktop": (60, 60, 20),
    "device/tablet": (40, 40, 20),
    "country/US": (120, 200, 8),
    "country/DE": (80, 100, 8),
}
"""Twice as many mobiles, four in five of whom are in the US; of the others two in five are."""

MET: dict[str, float] = {
    "country/US/×device/mobile": 80 + 160,
    "country/DE/×device/mobile": 20 + 40,
    "country/US/×device/desktop": 24 + 24,
    "country/DE/×device/desktop": 36 + 36,
    "country/US/×device/tablet": 16 + 16,
    "country/DE/×device/tablet": 24 + 24,
}


def test_who_is_further_out_is_not_named_if_less_is_left_without_another() -> None:
    """The US are 50 beyond what they would be, 6 standard deviations, mobiles 100, which are 5 of theirs. Without them
    nobody is beyond; without the 50 of the US mobiles still were. That the whole rose may be chance, and says nothing.
    """
    assert found(CROSSED, (200, 300), both=MET, news=50) == {"device/mobile": pytest.approx(100)}


def test_of_two_that_went_apart_the_whole_says_who_moved() -> None:
    """As the one doubled, the other fell by half against it; and the whole rose."""
    rows: dict[str, Row] = {"device/desktop": (100, 100, 10), "device/mobile": (100, 200, 10)}
    assert found(rows, (200, 300)) == {"device/mobile": 100}


# --- how much two share

CLEAR = CROSSED | {"device/mobile": (100, 200, 10)}


def test_what_is_left_of_others_is_shaky_where_it_is_but_guessed_how_much_they_share() -> None:
    """As 320 of all 500 the US would have 64 of the 100 mobiles; they have 80. What is left, 136 of 200 beside 64, were
    40 too many; yet with half of the guess they were 40 too few, so that 40 are no news.
    """
    assert found(CLEAR, (200, 300)) == {"device/mobile": pytest.approx(100)}


def test_and_is_not_where_it_was_counted() -> None:
    """The same numbers, and that they share 64 is known: 40 too many are five standard deviations. Of a table of two
    either may have gone apart from the other.
    """
    met = {"country/US/×device/mobile": 192.0, "country/DE/×device/mobile": 108.0}
    first, *others = found(CLEAR, (200, 300), both=met)
    assert first == "device/mobile"
    assert others in (["country/US"], ["country/DE"])
