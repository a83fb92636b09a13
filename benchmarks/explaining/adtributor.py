"""Adtributor, from its paper: the dimension that is most to blame, and which of its elements.

Bhagwan, Kumar, Ramjee, Varghese, Mohapatra, Manoharan, Shah: "Adtributor: Revenue Debugging in Advertising Systems",
NSDI 2014. Explanatory power, surprise and the algorithm (figure 2) are of section 3, derived measures of section 4.

An element of a dimension explains the part of the whole's change that is its own; its surprise is its term of the
Jensen-Shannon divergence of the dimension's shares, forecast and actual. In each dimension, elements are gone through
by surprise; those that explain more than `ELEMENT` of the change are taken, until they explain more than `TOGETHER`
of it. A dimension in which they never do has no candidate. The three most surprising candidates are the answer.

What the paper leaves to its user is chosen so:

- The forecast is the period before, not the paper's time series model: that is what was asked, of us as well.
- Every table is a dimension: nested and crossed ones too, whose elements explain their part of the whole's change. What
  such a table does not hold is an element that is never named, so that explanatory power adds up to one over the whole.
- The answer is a list: the sets by surprise, the elements of a set by surprise, of which the first three count.
"""

from __future__ import annotations

import numpy as np

from benchmarks.explaining import alarm
from benchmarks.explaining.world import Floats, Ints, World, distinct
from hailwhale_django.engine.domain.paths import WHOLE

ELEMENT, TOGETHER = 0.10, 0.67
"""The paper's thresholds T_EEP and T_EP."""
SETS = 3
ANSWERS = 3


def answer(world: World) -> list[str]:
    """The elements of the three best sets; none while the whole moves as it ordinarily does."""
    if not alarm.is_raised(world):
        return []
    found = [one for table in world.tables if table != WHOLE and (one := candidate(world, table)) is not None]
    found.sort(key=lambda one: one[0], reverse=True)
    return distinct(path for _, paths in found[:SETS] for path in paths)[:ANSWERS]


def candidate(world: World, table: str) -> tuple[float, list[str]] | None:
    """The set of one dimension with its surprise; `None` if its elements do not explain enough."""
    rows = world.children(table)
    forecast, actual = np.moveaxis(world.amounts(rows)[:, :, -2:], 2, 0)
    whole_forecast, whole_actual = np.moveaxis(world.amounts([WHOLE])[0][:, -2:], 1, 0)
    explained = powers(forecast, actual, whole_forecast, whole_actual)
    surprising = surprises(forecast / whole_forecast, actual / whole_actual).sum(axis=1)
    taken = greedy(explained, surprising)
    return (float(surprising[taken].sum()), [rows[at] for at in taken]) if len(taken) else None


def greedy(explained: Floats, surprising: Floats) -> Ints:
    """Figure 2: which elements are taken, the most surprising first; none if they do not explain enough."""
    order = np.argsort(-surprising, kind="stable")
    taken = order[explained[order] > ELEMENT]
    enough = np.flatnonzero(explained[taken].cumsum() > TOGETHER)
    return np.asarray(taken[: enough[0] + 1] if len(enough) else taken[:0])


def powers(forecast: Floats, actual: Floats, whole_forecast: Floats, whole_actual: Floats) -> Floats:
    """Explanatory power by element, of amounts `[element, term]`.

    Of a sum, the element's part of the whole's change (section 3). Of a ratio m1/m2 (section 4), the partial derivative
    in finite differences, with the actual amounts of this element and those forecast of all others,

        (d1 F(m2) - d2 F(m1)) / (F(m2) (F(m2) + d2)),  d the element's actual less its forecast amount,

    and divided by their sum, so that they add up to one.
    """
    gained = actual - forecast
    if gained.shape[1] == 1:
        return _part(gained[:, 0], float(whole_actual[0] - whole_forecast[0]))
    rest = (whole_actual - whole_forecast) - gained.sum(axis=0)
    d1, d2 = np.vstack([gained, rest]).T
    f1, f2 = whole_forecast
    moved = (d1 * f2 - d2 * f1) / (f2 * (f2 + d2))
    return _part(moved[:-1], float(moved.sum()))


def surprises(prior: Floats, posterior: Floats) -> Floats:
    """Terms of the Jensen-Shannon divergence, in bits; a derived measure's is the sum of its measures' (section 4)."""
    return np.asarray((_term(prior, prior + posterior) + _term(posterior, prior + posterior)) / 2)


def _term(share: Floats, both: Floats) -> Floats:
    return np.asarray(share * np.log2(np.divide(2 * share, both, out=np.ones_like(share), where=share > 0)))


def _part(moved: Floats, change: float) -> Floats:
    return moved / change if change else np.zeros_like(moved)
