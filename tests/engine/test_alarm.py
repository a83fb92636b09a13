"""When alarms begin and end: by hand, and what holds whatever is read."""

from __future__ import annotations

from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hailwhale_django.engine.domain.alarm import Bout, Reading, Rule, judge
from hailwhale_django.engine.errors import InvalidInput

BELOW = Rule.parse("below", 2, 2.5)


def told(rule: Rule, *readings: float | Reading | None) -> list[str]:
    """What is news of each reading, a minute apart: "-" is nothing."""
    bout, news = None, []
    for minute, one in enumerate(readings):
        bout, state = judge(rule, bout, one if isinstance(one, Reading) else Reading(one), minute * 60.0)
        news.append(state or "-")
    return news


class TestBounds:
    def test_it_begins_below_and_ends_where_it_is_clear(self) -> None:
        assert told(BELOW, 3, 2, 1.99, 1, 2.2, 2.49, 2.5, 2.2) == ["-", "-", "began", "-", "-", "-", "ended", "-"]

    def test_above_is_the_same_upside_down(self) -> None:
        assert told(Rule.parse("above", 2, 1.5), 1, 2, 2.01, 1.8, 1.51, 1.5, 1.8) == [
            "-",
            "-",
            "began",
            "-",
            "-",
            "ended",
            "-",
        ]

    def test_without_a_point_to_clear_at_it_ends_at_the_threshold(self) -> None:
        assert told(Rule.parse("above", 10), 11, 10, 11) == ["began", "ended", "began"]
        assert told(Rule.parse("below", 10), 9, 10, 9) == ["began", "ended", "began"]

    def test_negative_thresholds(self) -> None:
        assert told(Rule.parse("below", -5, -4), -4.5, -5.5, -4.5, -4) == ["-", "began", "-", "ended"]

    def test_it_remembers_since_when_and_how_much(self) -> None:
        bout, _ = judge(BELOW, None, Reading(1.0), 60.0)
        again, state = judge(BELOW, bout, Reading(1.5), 120.0)
        assert (again, state) == (Bout(60.0, 1.5, ("began",)), None)


class TestChange:
    def test_falls_by_more_than_a_fifth(self) -> None:
        rule = Rule.parse("falls", 0.2, 0.1)
        readings = [Reading(80, 100), Reading(79, 100), Reading(89, 100), Reading(90, 100)]
        assert told(rule, *readings) == ["-", "began", "-", "ended"]

    def test_rises_from_what_was_negative(self) -> None:
        # From -10 to -4 is 6 more, of 10: 60%.
        assert told(Rule.parse("rises", 0.5), Reading(-4, -10)) == ["began"]

    def test_all_of_it_gone_is_a_fall_and_of_nothing_there_is_no_change(self) -> None:
        rule = Rule.parse("falls", 0.5)
        readings = [Reading(5, 0), Reading(0, 5), Reading(0, 0), Reading(5, 0), Reading(5, 5)]
        assert told(rule, *readings) == ["-", "began", "-", "-", "ended"]


class TestLittle:
    def test_what_rests_on_too_little_neither_begins_nor_ends(self) -> None:
        rule = Rule.parse("below", 2, least=100)
        readings = [Reading(1, weight=99), Reading(1, weight=100), Reading(5, weight=99), Reading(5, weight=100)]
        assert told(rule, *readings) == ["-", "began", "-", "ended"]

    def test_what_has_no_weight_is_exempt(self) -> None:
        assert told(Rule.parse("below", 2, least=100), Reading(1)) == ["began"]


class TestWithoutData:
    def test_it_stays_as_it_was(self) -> None:
        assert told(Rule.parse("below", 2), None, 1, None, 1, None, 3) == ["-", "began", "-", "-", "-", "ended"]

    def test_it_is_told_once_in_a_bout(self) -> None:
        rule = Rule.parse("below", 2, without_data="tell")
        assert told(rule, None, None, 3, None) == ["silent", "-", "ended", "silent"]
        assert told(rule, 1, None, 1, None, 3) == ["began", "silent", "-", "-", "ended"]
        assert told(rule, None, 1, 3) == ["silent", "began", "ended"]

    def test_it_ends_it(self) -> None:
        assert told(Rule.parse("below", 2, without_data="end"), 1, None, None, 1) == ["began", "ended", "-", "began"]

    def test_data_is_back_however_little(self) -> None:
        rule = Rule.parse("below", 2, least=100, without_data="tell")
        assert told(rule, None, Reading(1, weight=1)) == ["silent", "ended"]

    def test_silence_alone(self) -> None:
        rule = Rule.parse("silent", None)
        assert told(rule, 0, None, None, 5, 0) == ["-", "silent", "-", "ended", "-"]


READINGS = st.builds(
    Reading,
    st.none() | st.floats(-100, 100),
    st.none() | st.floats(-100, 100),
    st.none() | st.floats(0, 20),
)


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    condition = draw(st.sampled_from(["above", "below", "rises", "falls", "silent"]))
    threshold = draw(st.floats(0.01, 0.99) if condition in ("rises", "falls") else st.floats(-50, 50))
    room = draw(st.floats(0, 30))
    clear = threshold + room if condition == "below" else threshold - room
    without = draw(st.sampled_from(["keep", "tell", "end"]))
    return Rule.parse(condition, threshold, clear, draw(st.sampled_from([0, 10])), without)


@given(rules(), st.lists(READINGS, max_size=60))
def test_nothing_rings_twice_without_an_end_between(rule: Rule, readings: list[Reading]) -> None:
    news = [state for state in told(rule, *readings) if state != "-"]
    for is_end, run in groupby(news, key=lambda state: state == "ended"):
        rung = list(run)
        assert len(set(rung)) == len(rung), news
        assert not is_end or len(rung) == 1, news
    assert not news or news[0] != "ended"


@given(rules(), st.lists(READINGS, max_size=60))
def test_a_bout_is_there_from_its_ring_to_its_end(rule: Rule, readings: list[Reading]) -> None:
    bout: Bout | None = None
    for minute, reading in enumerate(readings):
        had = bout
        bout, state = judge(rule, bout, reading, float(minute))
        if state == "ended":
            assert had is not None
            assert bout is None
        elif state is not None:
            assert bout is not None
            assert state in bout.rung
        else:
            assert (had is None) == (bout is None)
        if bout is not None and had is not None:
            assert bout.since == had.since


@given(rules(), st.lists(st.dictionaries(st.sampled_from("abc"), READINGS, max_size=3), max_size=30), st.randoms())
def test_children_do_not_mind_each_others_order(rule: Rule, rounds: list[dict[str, Reading]], random: object) -> None:
    def run(mixed: bool) -> list[set[tuple[str, str | None]]]:
        bouts: dict[str, Bout | None] = {}
        news = []
        for minute, round_ in enumerate(rounds):
            names = sorted(round_, reverse=mixed)
            found = set()
            for name in names:
                bouts[name], state = judge(rule, bouts.get(name), round_[name], float(minute))
                found.add((name, state))
            news.append(found)
        return news

    assert run(False) == run(True)


@given(st.floats(0, 1e9), st.none() | st.floats(allow_nan=False, allow_infinity=False))
def test_a_bout_is_kept_as_json(since: float, value: float | None) -> None:
    bout = Bout(since, value, ("began", "silent"))
    assert Bout.of_wire(bout.to_wire()) == bout


@pytest.mark.parametrize(
    ("condition", "threshold", "clear_at", "field", "words"),
    [
        ("below", None, None, "threshold", "name the number"),
        ("below", float("nan"), None, "threshold", "name the number"),
        ("rises", -0.2, None, "threshold", "above 0"),
        ("falls", 20, None, "threshold", "0.2 is 20%"),
        ("below", 2, 1.5, "clear_at", "at or above the threshold, 2"),
        ("above", 2, 2.5, "clear_at", "at or below the threshold, 2"),
        ("falls", 0.2, 0.3, "clear_at", "at or below the threshold, 0.2"),
    ],
)
def test_what_will_not_do(condition: str, threshold: float, clear_at: float, field: str, words: str) -> None:
    with pytest.raises(InvalidInput, match=words) as caught:
        Rule.parse(condition, threshold, clear_at)
    assert caught.value.field == field


def test_the_least_is_a_number() -> None:
    with pytest.raises(InvalidInput, match="from 0 on"):
        Rule.parse("below", 2, least=-1)
