"""Deciding: by fresh evidence, the same for the same visitor, and credited with what came of it once."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from hailwhale_django.engine import fits
from hailwhale_django.engine.decide.aim import aim_of
from hailwhale_django.engine.decide.choice import Choice
from hailwhale_django.engine.decide.lessons import taught
from hailwhale_django.engine.decide.terms import Terms, drawn
from hailwhale_django.engine.decider import Decider, jointly
from hailwhale_django.engine.domain.paths import Path
from hailwhale_django.engine.errors import InvalidInput, TooLarge
from hailwhale_django.engine.pod import Pod
from tests.engine.conftest import NOW, Clock, Pods

OPTIONS = ["a", "b", "c"]
SHARES = {"a": 0.1, "b": 0.3, "c": 0.2}


def learn(pod: Pod, times: int = 100, best: str = "b", days_ago: float = 0, **known: str) -> None:
    """Visitors of each option, of whom the given shares buy for 10, `best` having the largest."""
    shares = SHARES | {best: 0.3, "b": SHARES["b"] if best == "b" else 0.1}
    at = pod.clock() - days_ago * 86_400
    events = [
        pod.decider.event("shop", "banner", option, known, {"visitors": 1, "revenue": 10 * (n < times * share)}, at)
        for option, share in shares.items()
        for n in range(times)
    ]
    pod.recorder.record(events, pod.clock())


def decide(pod: Pod, terms: Terms | None = None, options: Any = OPTIONS, **asked: Any) -> Choice:
    decider: Decider = pod.decider
    return decider.choose(decider.question("shop", "banner", options, terms or Terms(), **asked))


@pytest.fixture
def pod(pod: Pod) -> Pod:
    """Whose fits are learnt at once."""
    pod.decider.chooser.later = lambda work: work()
    return pod


def test_it_learns_what_is_best(any_pod: Pod) -> None:
    any_pod.decider.chooser.later = lambda work: work()
    learn(any_pod, 300)
    made = decide(any_pod)
    assert made.standing("b").best > 0.9
    assert made.standing("b").value == 3 and made.standing("b").events == 300
    assert sum(one.probability for one in made.standings) == pytest.approx(1)
    options = [decide(any_pod, seed=n).option for n in range(40)]
    assert options.count("b") > 30


def test_for_whom(pod: Pod) -> None:
    learn(pod, 400, best="b", country="US")
    learn(pod, 400, best="c", country="DE")
    assert decide(pod, known={"country": "US"}).standing("b").best > 0.7
    assert decide(pod, known={"country": "DE"}).standing("c").best > 0.7


def test_new_evidence_counts_at_once(pod: Pod) -> None:
    learn(pod, 20)
    before = decide(pod).standing("a").events
    pod.count_event(pod.decider.event("shop", "banner", "a", None, {"visitors": 1}, None))
    assert decide(pod).standing("a").events == before + 1


def test_costs_are_made_small(pod: Pod) -> None:
    learn(pod)
    terms = Terms(aim=aim_of("revenue/visitors", minimize=True))
    assert decide(pod, terms).standing("a").best > 0.9


def test_nothing_is_known(pod: Pod) -> None:
    made = decide(pod, known={"country": "US"})
    assert [one.probability for one in made.standings] == pytest.approx([1 / 3] * 3)
    assert made.standings[0].value is None
    assert made.reasons[0].startswith("Nothing is known yet")


def test_the_same_seed_gives_the_same_answer(pod: Pod) -> None:
    learn(pod, 10)
    assert len({decide(pod, seed="one").option for _ in range(10)}) == 1
    assert len({decide(pod, Terms(floor=0.1), seed=n).option for n in range(60)}) == 3


def test_the_reasons_can_be_written_as_json(pod: Pod) -> None:
    learn(pod, country="US")
    made = decide(pod, known={"country": "US"})
    found = json.loads(json.dumps(made.to_dict()))
    assert found["option"] == made.option and found["standings"][1]["option"] == "b"
    assert str(made) == made.option


def test_it_is_sticky(pod: Pod, clock: Clock) -> None:
    learn(pod, 10)
    held = {"hold_seconds": 3600.0, "window_seconds": 7200.0}
    first = decide(pod, visitor="ann", **held)
    assert first.id and not first.sticky
    learn(pod, 1000, best="a" if first.option != "a" else "c")
    again = decide(pod, visitor="ann", **held)
    assert (again.option, again.id, again.sticky) == (first.option, first.id, True)
    assert again.probability == first.probability
    clock.set(NOW + timedelta(hours=1))
    later = decide(pod, visitor="ann", **held)
    assert later.id != first.id and not later.sticky


def test_other_visitors_and_decisions_are_others(pod: Pod) -> None:
    ids = {decide(pod, visitor=who, hold_seconds=60.0).id for who in ("ann", "bob", "ann")}
    assert len(ids) == 2
    other = pod.decider.question("shop", "layout", OPTIONS, Terms(), visitor="ann", hold_seconds=60.0)
    assert pod.decider.choose(other).id not in ids


def test_what_holds_is_told_without_weighing_unless_it_is_asked(pod: Pod) -> None:
    learn(pod, 10)
    first = decide(pod, visitor="ann", hold_seconds=60.0, explained=False)
    again = decide(pod, visitor="ann", hold_seconds=60.0, explained=False)
    assert first.standings and not again.standings
    assert (again.id, again.option, again.probability, again.sticky) == (
        first.id,
        first.option,
        first.probability,
        True,
    )
    assert decide(pod, visitor="ann", hold_seconds=60.0).standings


def test_the_log_ends_by_itself(pod: Pod) -> None:
    made = decide(pod, visitor="ann", hold_seconds=60.0)
    key = pod.store.keys.choices("shop/banner")
    assert 89 * 86_400 < pod.store.server.call("TTL", [key]) <= 90 * 86_400
    pod.store.server.call("PERSIST", [key])
    pod.decider.earned("shop", "banner", {"visitors": 1}, None, decision_id=made.id)
    assert pod.store.server.call("TTL", [key]) > 0
    pod.store.server.call("PERSIST", [key])
    pod.decider.log([("shop/banner", pod.store.choices.latest("shop/banner", 1)[0].kept)])
    assert pod.store.server.call("TTL", [key]) > 0


def test_whose_decision_it_is_takes_a_secret_to_tell(pod: Pod) -> None:
    ids = {
        Decider(pod.store, pod.clock, pod.decider.chooser.later, secret).who_is(Path(("shop",)), "ann")
        for secret in (b"", b"one", b"another")
    }
    assert len(ids) == 3


def test_an_option_that_is_gone_is_decided_anew(pod: Pod) -> None:
    first = decide(pod, visitor="ann", hold_seconds=60.0)
    left = [option for option in OPTIONS if option != first.option]
    anew = decide(pod, options=left, visitor="ann", hold_seconds=60.0)
    assert anew.option in left and not anew.sticky
    again = decide(pod, options=left, visitor="ann", hold_seconds=60.0)
    assert (again.option, again.id, again.sticky) == (anew.option, anew.id, True)
    assert pod.decider.earned("shop", "banner", {"revenue": 1}, None, decision_id=anew.id).is_new


def test_two_requests_at_once_get_one_option(pods: Pods, any_redis_url: str) -> None:
    both = [pods(any_redis_url), pods(any_redis_url)]
    for n in range(20):
        with ThreadPoolExecutor(2) as threads:
            made = list(
                threads.map(lambda pod, n=n: decide(pod, visitor=f"v{n}", hold_seconds=60.0, seed=str(id(pod))), both)
            )
        assert len({one.id for one in made}) == 1
        assert len({one.option for one in made}) == 1


def test_without_being_kept_a_visitor_keeps_its_chance(pod: Pod) -> None:
    learn(pod, 10)
    decide(pod)  # after which it knows what to assume
    assert len({decide(pod, visitor="ann").option for _ in range(10)}) == 1
    assert decide(pod, visitor="ann").id == ""


def test_a_forced_option(pod: Pod) -> None:
    made = decide(pod, forced="c", visitor="ann", hold_seconds=60.0)
    assert (made.option, made.forced, made.id) == ("c", True, "")
    assert pod.store.choices.latest("shop/banner", 10) == []
    with pytest.raises(InvalidInput, match="forced.*use one of a, b, c"):
        decide(pod, forced="d")


def test_what_is_earned_is_credited_once(any_pod: Pod) -> None:
    pod = any_pod
    made = decide(pod, known={"country": "US"}, visitor="ann", hold_seconds=60.0, window_seconds=60.0)

    def earn(metrics: dict[str, float], known_as: str | None, **of: Any) -> bool:
        earned = pod.decider.earned("shop", "banner", metrics, None, known_as=known_as, **of)
        if earned.is_new:
            pod.count_event(earned.event)
        return earned.is_new

    assert earn({"visitors": 1}, "seen", visitor="ann")
    assert not earn({"visitors": 1}, "seen", visitor="ann")
    assert earn({"revenue": 25}, "order 1", decision_id=made.id)
    assert not earn({"revenue": 25}, "order 1", visitor="ann")
    assert earn({"revenue": 5}, "order 2", visitor="ann")
    standing = decide(pod, known={"country": "US"}).standing(made.option)
    # One visitor, as if the three had been one event.
    assert (standing.events, standing.value) == (1, 30)
    (logged,) = pod.store.choices.latest("shop/banner", 10)
    assert logged.earned == {"visitors": 1, "revenue": 30} and logged.kept.option == made.option
    assert logged.kept.probability == pytest.approx(1 / 3)
    assert pod.query(["shop", "banner"], dimension="country", metrics="revenue").rows[0].cells[0].value == 30


def test_what_is_earned_too_late(pod: Pod, clock: Clock) -> None:
    made = decide(pod, visitor="ann", hold_seconds=60.0, window_seconds=60.0)
    decide(pod, visitor="bob", hold_seconds=60.0)
    clock.set(NOW + timedelta(minutes=2))
    newer = decide(pod, visitor="ann", hold_seconds=60.0, window_seconds=60.0)
    for of in ({"decision_id": made.id}, {"visitor": "carl"}):
        with pytest.raises(InvalidInput, match="no such decision of shop/banner is kept"):
            pod.decider.earned("shop", "banner", {"revenue": 1}, None, **of)
    assert pod.decider.earned("shop", "banner", {"revenue": 1}, None, decision_id=newer.id).is_new


@pytest.mark.parametrize("given", ["", "nonsense", "a.b}c", 5, "{x}.1", ".", "v1."])
def test_ids_that_are_none(pod: Pod, given: Any) -> None:
    with pytest.raises(InvalidInput):
        pod.decider.earned("shop", "banner", {"revenue": 1}, None, decision_id=given)


def test_an_id_for_somebody_without_name(pod: Pod) -> None:
    ids = {decide(pod, window_seconds=60.0).id for _ in range(2)}
    assert len(ids) == 2
    for one in ids:
        assert pod.decider.earned("shop", "banner", {"visitors": 1}, None, decision_id=one).is_new


def test_uniform_shares_are_told_apart(pod: Pod) -> None:
    learn(pod)
    terms = Terms(uniform=0.5)
    made = [decide(pod, terms, visitor=n, hold_seconds=60.0) for n in range(60)]
    uniform = [one for one in made if one.uniform]
    assert 15 < len(uniform) < 45
    assert min(one.probability for one in made[0].standings) >= 0.5 / 3
    earned = pod.decider.earned("shop", "banner", {"visitors": 1}, None, decision_id=uniform[0].id, terms=terms)
    assert Path(("assigned", "uniform")) in earned.event.dimensions


def test_a_burn_in(pod: Pod) -> None:
    learn(pod, 10)
    made = decide(pod, Terms(burn_in=11))
    assert [one.probability for one in made.standings] == pytest.approx([1 / 3] * 3)
    assert made.uniform and made.reasons[0].startswith("Every option is tried alike")
    assert decide(pod, Terms(burn_in=10)).standing("b").probability > 1 / 3


def test_a_floor(pod: Pod) -> None:
    learn(pod, 1000)
    assert [round(one.probability, 2) for one in decide(pod, Terms(floor=0.1)).standings] == [0.1, 0.8, 0.1]
    assert [one.probability for one in decide(pod, Terms(floor=1.0)).standings] == pytest.approx([1 / 3] * 3)


def test_the_past_is_decided_by_what_was_known_then(pod: Pod) -> None:
    learn(pod, best="c", days_ago=20)
    learn(pod, 2000, best="a", days_ago=2)
    at = pod.clock()
    assert decide(pod).standing("a").best > 0.9
    assert decide(pod, at=at - 10 * 86_400).standing("c").best > 0.9
    assert decide(pod, period="7d", at=at - 10 * 86_400).standing("c").events == 0
    assert decide(pod, period="7d").standing("a").events == 2000


def test_a_fit_is_learnt_beside(pods: Pods, redis_url: str) -> None:
    pod = pods(redis_url)
    waiting: list[Any] = []
    pod.decider.chooser.later = waiting.append
    learn(pod)
    decide(pod)
    decide(pod)
    assert len(waiting) == 1  # nobody learns what another is learning
    assert pod.store.server.call("HLEN", [pod.store.keys.fits("shop/banner")]) == 0
    waiting.pop()()
    assert pod.store.server.call("HLEN", [pod.store.keys.fits("shop/banner")]) == 1
    decide(pod)
    assert not waiting
    learn(pod)
    decide(pod)
    assert len(waiting) == 1


def test_too_many_metrics_leave_a_decision_as_it_was(any_pod: Pod) -> None:
    decide(any_pod, visitor="u1", hold_seconds=100, window_seconds=100)

    def earned(*metrics: str) -> Any:
        return any_pod.decider.earned("shop", "banner", dict.fromkeys(metrics, 1), None, visitor="u1")

    with pytest.raises(TooLarge, match="at most 8 metrics"):
        earned(*"abcdefghi")
    earned(*"abcde")
    with pytest.raises(TooLarge, match="at most 8 metrics"):
        earned(*"efghi")
    assert dict(earned(*"efgh").event.lesson.sums)["*a\x1ff"] == 1
    assert dict(earned("a").event.lesson.sums) == pytest.approx(
        {"=a": 1, "*a\x1fa": 3, "*a\x1fe": 2} | {f"*a\x1f{other}": 1 for other in "bcdfgh"}
    )


@pytest.mark.parametrize("given", ["\ud800.x", "vé.1", ".", "a.", "{a}.1", 5])
def test_what_is_no_id_of_a_decision(pod: Pod, given: Any) -> None:
    with pytest.raises(InvalidInput, match="no id of a decision"):
        pod.decider.earned("shop", "banner", {"revenue": 1}, None, decision_id=given)


@pytest.mark.parametrize("uniform", [0.0, 1.0])
def test_nobody_says_of_themselves_how_they_were_decided_for(pod: Pod, uniform: float) -> None:
    known = {"assigned": "uniform", "country": "US"}
    made = decide(pod, Terms(uniform=uniform), known=known, visitor="u1", hold_seconds=100, window_seconds=100)
    earned = pod.decider.earned("shop", "banner", {"visitors": 1}, None, visitor="u1", terms=Terms(uniform=0.5))
    said = "assigned/uniform" if made.uniform else "assigned/adaptive"
    assert made.uniform == bool(uniform) and earned.event.lesson.cells == ("_", "country/US", said)
    assert list(map(str, earned.event.dimensions)) == ["country", "country/US", "assigned", said]


def test_of_many_options_fewer_groups_are_read(pod: Pod) -> None:
    known = {f"d{n}": "x" for n in range(30)}
    chooser = pod.decider.chooser
    few, many = (
        chooser.weigh(
            pod.decider.question("shop", "banner", list(map(str, range(options))), Terms(), known=known), pod.clock()
        )
        for options in (10, 5_000)
    )
    assert len(few.evidence.cells) == 32
    assert [cell.level for cell in many.evidence.cells] == [""]


def test_a_fit_lasts_where_the_period_is_longer_than_changes_are_looked_for(pod: Pod) -> None:
    for days_ago in range(0, 300, 3):
        learn(pod, 4, days_ago=days_ago)
    decide(pod, period="365d")
    pod.decider.chooser.later = lambda work: pytest.fail("nothing new was counted")
    decide(pod, period="365d")


def test_a_fit_lasts_where_the_world_changed(pod: Pod) -> None:
    terms, now = Terms(), pod.clock()
    for days_ago in range(40):
        events = [
            pod.store.intake.event(
                ["shop", "banner", option], None, {"visitors": 1, "revenue": n % 3 * better}, at, now
            )
            for at in [now - days_ago * 86_400]
            for option, better in (("a", 1), ("b", 1 if days_ago >= 5 else 3))
            for n in range(60)
        ]
        predicted = {terms.aim.prediction: 1.0}
        pod.recorder.record([taught(one, pod.store.places, terms.outlook, more=predicted) for one in events], now)
    decide(pod, options=["a", "b"])
    made = decide(pod, options=["a", "b"])
    assert made.standing("b").value == 3 and made.standing("b").events <= 5 * 60  # of after the change
    pod.decider.chooser.later = lambda work: pytest.fail("nothing new was counted")
    assert decide(pod, options=["a", "b"]).standings == made.standings


def test_fits_are_not_kept_without_end(pod: Pod, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fits, "MOST_FITS", 5)
    learn(pod, 10)
    key = [pod.store.keys.fits("shop/banner")]
    for n in range(12):
        decide(pod, options=["a", f"b{n}"])
        assert pod.store.server.call("HLEN", key) <= 5
    decide(pod)
    assert pod.store.server.call("HLEN", key) and 0 < pod.store.server.call("TTL", key) <= fits.FIT_SECONDS


def test_other_processes_know_a_fit(pods: Pods, redis_url: str) -> None:
    one, other = pods(redis_url), pods(redis_url)
    one.decider.chooser.later = lambda work: work()
    waiting: list[Any] = []
    other.decider.chooser.later = waiting.append
    learn(one)
    decide(one)
    decide(other)
    assert not waiting


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "name at least one option"),
        ("abc", "use a list of options"),
        ({"a": 1}, "use a list of options"),
        (None, "use a list of options"),
        (5, "use a list of options"),
        (["a", "b", "a"], "options: 'a' will not do; name each option once"),
        (["a", ""], "an option has a name"),
        ([None], "an option has a name"),
        (["x" * 300], "at most 255 bytes"),
    ],
)
def test_options_that_will_not_do(pod: Pod, options: Any, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        decide(pod, options=options)


def test_options_are_texts(pod: Pod) -> None:
    assert decide(pod, options=[5]).option == "5"
    assert decide(pod, options=["a/b {c}"]).option == "a/b {c}"


def test_many_options(pod: Pod) -> None:
    options = [f"o{n}" for n in range(10_000)]
    pod.count_event(pod.decider.event("shop", "banner", "o77", None, {"visitors": 1, "revenue": 50}, None))
    made = decide(pod, options=options, visitor="ann", hold_seconds=60.0)
    assert made.option in options and len(made.standings) == 10_000
    (logged,) = pod.store.choices.latest("shop/banner", 10)
    assert logged.kept.options == (made.option,)
    with pytest.raises(TooLarge, match="at most 10,000"):
        decide(pod, options=[*options, "one more"])


@pytest.mark.parametrize(
    "metrics", [{"visitors": 0}, {"revenue": -5, "visitors": 1}, {"revenue": 3}, {"visitors": -1, "revenue": 9e11}]
)
def test_odd_evidence(pod: Pod, metrics: dict[str, float]) -> None:
    for _ in range(3):
        pod.count_event(pod.decider.event("shop", "banner", "a", None, metrics, None))
    made = decide(pod)
    assert sum(one.probability for one in made.standings) == pytest.approx(1)
    json.dumps(made.to_dict(), allow_nan=False)


def test_several_as_one() -> None:
    name, found = jointly({"language": ["EN", "SP"], "layout": ["wide", "narrow"]})
    assert name == "language + layout"
    assert found["EN + wide"] == {"language": "EN", "layout": "wide"}
    assert len(found) == 4
    with pytest.raises(TooLarge, match="more than 10,000"):
        jointly({f"d{n}": OPTIONS for n in range(9)})


@pytest.mark.parametrize(
    ("chance", "expected"), [(0.0, (0, True)), (0.09, (1, True)), (0.1, (0, False)), (0.999, (1, False))]
)
def test_what_a_number_stands_for(chance: float, expected: tuple[int, bool]) -> None:
    assert drawn([0.5, 0.5], 0.1, chance) == expected


def test_options_are_chosen_as_often_as_is_told(pod: Pod) -> None:
    """Chi-square of 2,000 choices against their probabilities: 13.8 is exceeded once in a thousand, at two degrees."""
    learn(pod, 60)
    terms = Terms(floor=0.05, uniform=0.1)
    decide(pod, terms)  # after which it knows what to assume
    made = [decide(pod, terms, seed=n) for n in range(2_000)]
    expected = {one.option: one.probability * len(made) for one in made[0].standings}
    assert {one.probability for one in made} <= {one.probability for one in made[0].standings}
    counts = {option: sum(one.option == option for one in made) for option in OPTIONS}
    assert sum((counts[option] - expected[option]) ** 2 / expected[option] for option in OPTIONS) < 13.8
    uniform = [one for one in made if one.uniform]
    assert len(uniform) == pytest.approx(200, abs=45)
    assert {option: sum(one.option == option for one in uniform) for option in OPTIONS} == {
        option: pytest.approx(len(uniform) / 3, abs=25) for option in OPTIONS
    }


def test_each_option_has_its_part_of_all_numbers() -> None:
    steps = 100_000
    counts = [0, 0, 0]
    for n in range(steps):
        counts[drawn([0.7, 0.25, 0.05], 0.09, n / steps)[0]] += 1
    assert counts == pytest.approx([70_000, 25_000, 5_000], abs=3)


@pytest.mark.parametrize(("name", "value"), [("floor", -0.1), ("floor", 2), ("uniform", 1.5), ("burn_in", -1)])
def test_terms_that_will_not_do(name: str, value: float) -> None:
    with pytest.raises(InvalidInput, match=name):
        Terms(**{name: value})
