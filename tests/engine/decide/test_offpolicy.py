"""What another policy would have earned: by hand, unbiased, and with intervals that hold the truth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hailwhale_django.engine.decide.evidence import Floats
from hailwhale_django.engine.decide.offpolicy import METHODS, Log, Method, advantage, estimate
from hailwhale_django.engine.errors import InvalidInput

RATES = np.array([[0.05, 0.10, 0.20], [0.30, 0.15, 0.05]])
"""[segment, option]: the chance to buy."""
PAGES = np.array([2.0, 3.0, 4.0])
"""That a visitor looks at, by option, on average; one at least."""
PERSONAL = np.array([[0.0, 0.1, 0.9], [0.8, 0.2, 0.0]])
"""[segment, option]: another policy."""
TRUTH_Y = float((PERSONAL * RATES).sum(axis=1).mean())
TRUTH_D = float((PERSONAL * PAGES).sum(axis=1).mean())


def world(rng: np.random.Generator, rows: int, model: float = 1.0) -> tuple[Log, Floats]:
    """A log of a policy that explores, and the policy `PERSONAL` on its rows. `model`: how right predictions are."""
    segment = rng.integers(0, 2, rows)
    propensities = np.array([[0.5, 0.3, 0.2], [0.2, 0.4, 0.4]])[segment]
    chosen = (rng.random(rows)[:, None] > propensities.cumsum(axis=1)).sum(axis=1)
    y = (rng.random(rows) < RATES[segment, chosen]).astype(float)
    d = 1.0 + rng.poisson(PAGES[chosen] - 1)
    predicted_d = np.broadcast_to(PAGES * model, propensities.shape)
    log = Log(chosen, propensities, y, d, predicted_y=RATES[segment] * model, predicted_d=predicted_d)
    return log, PERSONAL[segment]


HAND = Log(
    chosen=np.array([0, 0, 1, 1]),
    propensities=np.array([[0.5, 0.5], [0.25, 0.75], [0.5, 0.5], [0.2, 0.8]]),
    y=np.array([1.0, 2, 3, 4]),
    d=np.array([1.0, 1, 1, 2]),
    predicted_y=np.array([[1.0, 2], [1, 2], [1, 2], [1, 2]]),
    predicted_d=np.ones((4, 2)),
)


def test_by_hand() -> None:
    """Always the first: weights 2, 4, 0, 0. Of y ips is (2 + 8)/4, snips 10/6; dr is 1 + (2 * 0 + 4 * 1)/4."""
    ips, snips, dr = (estimate(HAND, HAND.always(0), method) for method in METHODS)
    assert (ips.numerator.value, snips.numerator.value, dr.numerator.value) == pytest.approx((2.5, 10 / 6, 2))
    assert (ips.denominator.value, snips.denominator.value, dr.denominator.value) == pytest.approx((1.5, 1, 1))
    assert (ips.ratio.value, snips.ratio.value, dr.ratio.value) == pytest.approx((10 / 6, 10 / 6, 2))
    # Scatter of w y around 2.5: -.5, 5.5, -2.5, -2.5, whose squares are 43; the error is root(43 / (4 * 3)).
    assert ips.numerator.upper - 2.5 == pytest.approx(1.959964 * (43 / 12) ** 0.5)
    # Of w (y - d R) with R = 10/6: -4/3, 4/3, over 6/4 for each: squares of 8/9, twice.
    assert ips.ratio.upper - 10 / 6 == pytest.approx(1.959964 * (2 * (8 / 9) ** 2 / 12) ** 0.5)


@pytest.mark.parametrize("method", METHODS)
def test_of_its_own_policy_a_log_says_what_it_earned(method: Method) -> None:
    log, _ = world(np.random.default_rng(1), 500)
    found = estimate(log, log.propensities, method)
    if method != "dr":
        assert found.numerator.value == pytest.approx(log.y.mean())
        assert found.ratio.value == pytest.approx(log.y.sum() / log.d.sum())
    assert log.y.mean() in found.numerator


@pytest.fixture(scope="module")
def repeated() -> dict[str, Floats]:
    """[world, of numerator, denominator and ratio: value, lower, upper] by method, in 1,500 worlds of 500 decisions."""
    rng = np.random.default_rng(2)
    found: dict[str, list] = {method: [] for method in (*METHODS, "dr by a wrong model")}
    for _ in range(1500):
        log, policy = world(rng, 500)
        wrong = replace(log, predicted_y=log.predicted_y * 3, predicted_d=log.predicted_d * 0)
        for name, rows, method in (
            *((method, log, method) for method in METHODS),
            ("dr by a wrong model", wrong, "dr"),
        ):
            one = estimate(rows, policy, method)
            found[name].append([(of.value, of.lower, of.upper) for of in (one.numerator, one.denominator, one.ratio)])
    return {name: np.array(of) for name, of in found.items()}


@pytest.mark.parametrize("method", ["ips", "dr", "dr by a wrong model"])
def test_unbiased(repeated: dict[str, Floats], method: str) -> None:
    values = repeated[method][:, :2, 0]
    errors = values.std(axis=0, ddof=1) / len(values) ** 0.5
    assert np.abs((values.mean(axis=0) - [TRUTH_Y, TRUTH_D]) / errors).max() < 3


@pytest.mark.parametrize("method", [*METHODS, "dr by a wrong model"])
def test_intervals_hold_the_truth_as_often_as_they_say(repeated: dict[str, Floats], method: str) -> None:
    truth = np.array([TRUTH_Y, TRUTH_D, TRUTH_Y / TRUTH_D])
    covered = ((repeated[method][..., 1] < truth) & (truth < repeated[method][..., 2])).mean(axis=0)
    assert covered.min() > 0.93
    assert covered.max() < 0.97


def test_normalising_and_models_pay(repeated: dict[str, Floats]) -> None:
    ips, snips, dr = (repeated[method][:, 1, 0].std() for method in METHODS)
    assert dr < snips < ips


def test_of_two_policies_on_the_same_log_what_they_share_cancels() -> None:
    log, policy = world(np.random.default_rng(3), 2000)
    other = 0.9 * policy + 0.1 * log.propensities
    found, whole = advantage(log, policy, other), estimate(log, policy).ratio
    assert found.upper - found.lower < 0.4 * (whole.upper - whole.lower)
    assert found.value == pytest.approx(whole.value - estimate(log, other).ratio.value)
    nothing = advantage(log, policy, policy)
    assert (nothing.lower, nothing.upper) == (0, 0)


def test_who_came_four_times_counts_once_for_sureness() -> None:
    """Each row four times over: no wider by itself, twice as wide where it is told who it was."""
    log, policy = world(np.random.default_rng(4), 400)
    rows = np.tile(np.arange(400), 4)
    again = Log(log.chosen[rows], log.propensities[rows], log.y[rows], log.d[rows])
    told = replace(again, visitor=rows + 1_000_000)
    once, blind, knowing = (estimate(one, policy[np.arange(len(one.chosen)) % 400]).ratio for one in (log, again, told))
    assert (knowing.lower, knowing.upper) == pytest.approx((once.lower, once.upper))
    assert (blind.upper - blind.lower) == pytest.approx((once.upper - once.lower) / 2, rel=0.01)


def test_overlap_of_what_was_rarely_done() -> None:
    log, _ = world(np.random.default_rng(5), 400)
    found = estimate(log, log.always(2))
    assert found.overlap.effective == pytest.approx((log.chosen == 2).sum(), rel=0.2)
    few = Log(log.chosen[:100], log.propensities[:100], log.y[:100], log.d[:100])
    found = estimate(few, few.always(2))
    assert not found.overlap.is_good
    assert found.words("always C", "sales").startswith(
        "What always C would have earned cannot be told: the log of 100 decisions tells as much of it as "
    )


def test_overlap_with_what_was_never_tried() -> None:
    log = Log(np.zeros(200, int), np.tile([1.0, 0.0], (200, 1)), np.ones(200), np.ones(200))
    found = estimate(log, np.tile([0.9, 0.1], (200, 1)))
    assert found.overlap.uncovered == pytest.approx(0.1)
    assert found.overlap.words == "10% of what it would choose was never tried there."
    assert "never tried" in estimate(log, log.always(1)).words("it", "sales")


def test_one_heavy_decision_is_not_enough() -> None:
    propensities = np.tile([0.5, 0.5], (5000, 1))
    propensities[0] = [0.005, 0.995]
    log = Log(np.arange(5000) % 2, propensities, np.ones(5000), np.ones(5000))
    assert estimate(log, log.always(0)).overlap.is_good
    propensities[0] = [0.002, 0.998]
    found = estimate(replace(log, propensities=propensities), log.always(0)).overlap
    assert found.heaviest == pytest.approx(500 / 5498)
    assert found.words == "9% of the answer rest on a single decision."


def test_propensities_that_are_not_those_it_was_decided_with() -> None:
    rng = np.random.default_rng(6)
    chosen = (rng.random(4000) < 0.7).astype(int)
    log = Log(chosen, np.full((4000, 2), 0.5), np.ones(4000), np.ones(4000))
    found = estimate(log, log.always(1))
    assert found.overlap.mean_weight == pytest.approx(1.4, abs=0.05)
    assert "the logged propensities cannot be right (weights are 1." in found.overlap.words


def test_only_the_chosen_s_propensity_is_needed() -> None:
    log, policy = world(np.random.default_rng(7), 300)
    known = np.full_like(log.propensities, np.nan)
    rows = np.arange(300)
    known[rows, log.chosen] = log.propensities[rows, log.chosen]
    blind = replace(log, propensities=known)
    assert estimate(blind, policy).ratio == estimate(log, policy).ratio


def test_words() -> None:
    log, policy = world(np.random.default_rng(8), 2000)
    found = estimate(log, policy)
    ratio = found.ratio
    assert found.words("the personal policy", "sales per page") == (
        f"With the personal policy, sales per page would have been {ratio.value:.4g}, "
        f"likely between {ratio.lower:.4g} and {ratio.upper:.4g}."
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"chosen": np.array([0])}, "chosen: 1 will not do"),
        ({"y": np.ones(3)}, "y: 3 will not do; one row for each of the 4 decisions"),
        ({"propensities": np.zeros((4, 2))}, "propensities: 0.0 will not do"),
        ({"propensities": np.full((4, 2), np.nan)}, "propensities: nan will not do"),
    ],
)
def test_logs_that_cannot_be(changes: dict, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        replace(HAND, **changes)


def test_what_cannot_be_estimated() -> None:
    with pytest.raises(InvalidInput, match="method: 'magic' will not do; use ips, snips, dr"):
        estimate(HAND, HAND.always(0), "magic")  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="no predictions"):
        estimate(replace(HAND, predicted_y=None), HAND.always(0), "dr")
    with pytest.raises(InvalidInput, match="policy: "):
        estimate(HAND, np.ones((4, 3)))
    with pytest.raises(InvalidInput, match="policy: 2.0 will not do; probabilities are 0 or more, and 1 in every row"):
        estimate(HAND, np.ones((4, 2)))
    with pytest.raises(InvalidInput, match="option: 2 will not do; use the number of an option, 0 to 1"):
        HAND.always(2)
