"""All policies: what each must do, and what none may do whatever it is given."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest

from hailwhale_django.engine.decide.cells import EVERYBODY, Cell
from hailwhale_django.engine.decide.evidence import DD, ND, NY, YD, YY, D, Evidence, Floats, History, N, Policy, Y
from hailwhale_django.engine.decide.policies.book import POLICIES, policy_of
from hailwhale_django.engine.errors import InvalidInput

US = Cell("country", "country/US")
SETTINGS: dict[str, dict[str, Any]] = {"winner": {"option": "b"}, "split": {"shares": {"a": 3, "b": 1}}}


@pytest.fixture(params=POLICIES)
def policy(request: pytest.FixtureRequest) -> Policy:
    return policy_of(request.param, **SETTINGS.get(request.param, {}))


def sales(visitors: float, sold: float, each: float = 1.0) -> list[float]:
    eight = [0.0] * 8
    eight[N] = eight[D] = eight[DD] = eight[ND] = visitors
    eight[NY], eight[Y], eight[YD], eight[YY] = sold, sold * each, sold * each, sold * each**2
    return eight


def evidence(*options: list[list[float]], minimize: bool = False) -> Evidence:
    """options[option][cell] is the eight sums."""
    sums = np.array(options, dtype=np.float64)
    cells = (EVERYBODY, US)[: sums.shape[1]]
    return Evidence(tuple("abcdefghij"[: len(options)]), cells, sums, minimize)


def history(one: Evidence) -> History:
    return History(
        one.options, {"country": one.sums[None, :, -1]}, one.sums[None, :, 0], np.full((1, len(one.options)), np.nan)
    )


def judged(policy: Policy, one: Evidence, *, fitted: bool = True) -> Any:
    with np.errstate(all="raise", under="ignore"):
        told = policy.judge(one, policy.fit(history(one)) if fitted else None)
    assert told.probability.shape == (len(one.options),)
    assert told.probability.sum() == pytest.approx(1.0)
    assert told.best.sum() == pytest.approx(1.0)
    for part in (told.probability, told.best, told.loss):
        assert np.isfinite(part).all()
        assert (part >= 0).all()
    assert told.weights.shape == one.sums.shape[:2]
    known = np.isfinite(told.mean) & np.isfinite(told.lower)
    assert (told.lower[known] <= told.mean[known] + 1e-9).all()
    assert (told.mean[known] <= told.upper[known] + 1e-9).all()
    return told


NOTHING: list[float] = [0.0] * 8
HOSTILE: dict[str, list[list[list[float]]]] = {
    "nothing": [[NOTHING, NOTHING], [NOTHING, NOTHING]],
    "one option knows nothing": [[sales(100, 5), sales(10, 1)], [NOTHING, NOTHING]],
    "nothing in the cell": [[sales(100, 5), NOTHING], [sales(90, 7), NOTHING]],
    "never sold": [[sales(100, 0), sales(10, 0)], [sales(90, 0), sales(9, 0)]],
    "always sold": [[sales(10, 10), sales(5, 5)], [sales(9, 9), sales(4, 4)]],
    "no denominator": [[[3, 9, 0, 27, 0, 0, 3, 0]] * 2, [[2, 4, 0, 8, 0, 0, 2, 0]] * 2],
    "losses": [[[9, -5, 9, 50, 9, -5, 9, 9]] * 2, [[9, 4, 9, 60, 9, 4, 9, 9]] * 2],
    "negative denominators": [[[9, 5, -9, 50, 9, -5, 9, 9]] * 2, [[9, 4, -8, 60, 9, -4, 9, 9]] * 2],
    "nothing gained": [[[9, 0, 9, 50, 9, 0, 9, 9]] * 2, [[9, 0, 9, 60, 9, 0, 9, 9]] * 2],
    "huge": [[sales(1e12, 1e9, 1e9)] * 2, [sales(1e12, 2e9, 1e9)] * 2],
    "tiny": [[sales(100, 5, 1e-9)] * 2, [sales(100, 6, 1e-9)] * 2],
    "contradictory": [[[1, 5, 7, 1, 1, 90, 50, 2]] * 2, [[4, 5, 2, 0, 0, 0, 0, 9]] * 2],
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("minimize", [False, True])
@pytest.mark.parametrize("fitted", [False, True])
def test_whatever_the_evidence_there_is_an_answer(policy: Policy, name: str, minimize: bool, fitted: bool) -> None:
    judged(policy, evidence(*HOSTILE[name], minimize=minimize), fitted=fitted)


def test_one_option_is_chosen(policy: Policy) -> None:
    options = ("b",)
    one = Evidence(options, (EVERYBODY,), np.array([[sales(50, 3)]]))
    assert judged(policy, one).probability == pytest.approx([1.0])


def test_ten_thousand_options_are_an_answer(policy: Policy) -> None:
    rng = np.random.default_rng(1)
    sums = np.array([[sales(200, sold)] * 2 for sold in rng.binomial(200, 0.05, 10_000)], dtype=np.float64)
    options = ("a", "b", *(f"option {number}" for number in range(9_998)))
    judged(policy, Evidence(options, (EVERYBODY, US), sums))


def test_a_fit_is_what_json_can_write(policy: Policy) -> None:
    fit = policy.fit(history(evidence([sales(100, 5)] * 2, [sales(90, 7)] * 2)))
    assert json.loads(json.dumps(asdict(fit), allow_nan=False)) == asdict(fit)
    assert (fit.policy, fit.version) == (policy.name, policy.version)


def test_the_same_evidence_gives_the_same_judgement(policy: Policy) -> None:
    one = evidence([sales(100, 5), sales(10, 1)], [sales(90, 7), sales(20, 3)])
    first, second = judged(policy, one), judged(policy, one)
    assert all(np.array_equal(a, b) for a, b in zip(_parts(first), _parts(second), strict=True))


@pytest.mark.parametrize("name", ["thompson", "reasons", "epsilon", "ucb"])
def test_options_may_be_told_in_any_order(name: str) -> None:
    rows = [[sales(300, 15), sales(100, 9)], [sales(280, 25), sales(90, 4)], [sales(500, 20), sales(30, 2)]]
    forth, back = judged(policy_of(name), evidence(*rows)), judged(policy_of(name), evidence(*rows[::-1]))
    for one, other in zip(_parts(forth), _parts(back), strict=True):
        assert one == pytest.approx(other[::-1], rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("name", ["thompson", "reasons", "epsilon", "ucb"])
def test_what_sells_more_is_shown_more_and_what_costs_more_less(name: str) -> None:
    rows = [[sales(5_000, 250)] * 2, [sales(5_000, 500)] * 2]
    more, less = (judged(policy_of(name), evidence(*rows, minimize=minimize)) for minimize in (False, True))
    assert more.probability[1] > 0.8
    assert less.probability[0] > 0.8
    assert more.loss[0] == pytest.approx(0.05, rel=0.1)
    assert more.loss[1] == pytest.approx(0.0, abs=1e-4)


def test_epsilon_shows_the_best_but_for_its_share() -> None:
    one = evidence([sales(100, 5)], [sales(100, 9)], [sales(100, 1)], [sales(100, 2)])
    assert judged(policy_of("epsilon", epsilon=0.2), one).probability == pytest.approx([0.05, 0.85, 0.05, 0.05])


def test_ucb_is_sure_of_its_choice_and_tries_what_is_new() -> None:
    one = evidence([sales(100, 5)], [sales(100, 9)], [NOTHING])
    assert judged(policy_of("ucb"), one).probability.tolist() == [0, 0, 1]


def test_a_split_is_as_it_is_told_and_equal_where_it_is_not() -> None:
    one = evidence([sales(100, 5)], [sales(100, 9)])
    assert judged(policy_of("split", shares={"a": 3, "b": 1}), one).probability.tolist() == [0.75, 0.25]
    assert judged(policy_of("split"), one).probability.tolist() == [0.5, 0.5]
    with pytest.raises(InvalidInput, match="a, b"):
        policy_of("split", shares={"x": 1}).judge(one, None)
    with pytest.raises(InvalidInput, match="from 0 to"):
        policy_of("split", shares={"a": 1e308, "b": 1e308})  # whose sum is no number


def test_a_winner_takes_all() -> None:
    one = evidence([sales(100, 5)], [sales(100, 9)])
    assert judged(policy_of("winner", option="a"), one).probability.tolist() == [1, 0]
    with pytest.raises(InvalidInput, match="one of the options: a, b"):
        policy_of("winner", option="x").judge(one, None)


def test_reasons_are_worked_out_by_hand() -> None:
    """Of 1,000 each, 100, 50 and 50 buy: a differs by 0.05, whose standard error is sqrt(.09 + .0475/2)/sqrt(1000)."""
    one = evidence([sales(1_000, 100)], [sales(1_000, 50)], [sales(1_000, 50)])
    told = judged(policy_of("reasons"), one)
    # a is good. b and c are 0.025 below the mean of the others: sqrt((.0475 + (.09 + .0475)/4)/1000) is 0.00905, and
    # 0.025/0.00905 = 2.8 standard errors are bad.
    assert told.probability == pytest.approx([0.95, 0.025, 0.025])
    assert judged(policy_of("reasons", significance=4), one).probability == pytest.approx([0.95, 0.025, 0.025])
    assert judged(policy_of("reasons", significance=6), one).probability == pytest.approx([1 / 3] * 3)


def test_reasons_compare_with_the_others_whatever_their_traffic() -> None:
    """A leader with all the traffic is the mean; compared with that, it would never be good."""
    told = judged(policy_of("reasons"), evidence([sales(100_000, 10_000)], [sales(1_000, 60)]))
    assert told.probability == pytest.approx([0.95, 0.05])


def test_the_book_names_what_it_has() -> None:
    with pytest.raises(InvalidInput, match="thompson, reasons, epsilon, ucb, split, winner"):
        policy_of("thomson")
    with pytest.raises(InvalidInput, match="epsilon has epsilon"):
        policy_of("epsilon", share=1)
    with pytest.raises(InvalidInput, match="from 0 to 1"):
        policy_of("epsilon", epsilon=7)
    with pytest.raises(InvalidInput, match="option"):
        policy_of("winner")


def _parts(told: Any) -> list[Floats]:
    return [told.probability, told.mean, told.lower, told.upper, told.best, told.loss, told.weights]
