"""Thompson: each option as often as it is likely to be the best for this visitor. The default.

Of each option the ratio for a visitor is learnt as a product of factors (`factors`), each a mixture of the evidence of
all the visitor's cells (`mixture`), shrunk by as much as options and cells of a level were found to differ
(`spreading`). Its probability is its chance of being the best, computed (`contest`), not drawn.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any, ClassVar

import numpy as np

from ..cells import Cell
from ..change import first_day
from ..contest import Q90, Posterior, contest
from ..evidence import Evidence, Fit, Floats, History, Judgement
from ..factors import Factor, divided, factors
from ..levels import levelled
from ..mixture import Mixture, Spreads, mixed
from ..nesting import nesting
from ..spreading import USUAL_CELL, USUAL_OPTION, concentration, nested, spread_of_cells, spread_of_options
from .settings import between

LEAST_MEAN = 0.02
"""No option is thought worse than this share of the level: linear predictions may be."""


@dataclass(frozen=True, slots=True)
class Thompson:
    """The deviations are what is thought usual before anything is learnt, as shares of the level: of options, of an
    option from cell to cell, and `size_share` times these where sizes are concerned, which differ less than odds do.

    `zeal` is a power: above 1 the likely winners are shown more often than they are likely to win. Visitors end; what
    is still learnt of the unlikely ones seldom pays. `follow_changes`: begin anew where the world is seen to change.
    """

    name: ClassVar[str] = "thompson"
    version: ClassVar[int] = 1

    option_deviation: float = USUAL_OPTION
    cell_deviation: float = USUAL_CELL
    size_share: float = 0.25
    zeal: float = 2.0
    follow_changes: bool = True

    def __post_init__(self) -> None:
        between("option_deviation", self.option_deviation, 1e-3, 10)
        between("cell_deviation", self.cell_deviation, 1e-3, 10)
        between("size_share", self.size_share, 1e-2, 10)
        between("zeal", self.zeal, 0, 10)

    def fit(self, history: History) -> Fit:
        since = first_day(history) if self.follow_changes and len(history.days) else 0
        days = history.days[since:].sum(axis=0) if len(history.days) else np.zeros((len(history.options), 8))
        whole = factors(days[None])
        numbers: dict[str, Any] = {factor.name: {"option": self._option(factor)} for factor in whole}
        tables = {
            level: {factor.name: factor for factor in factors(np.concatenate([days[None], table]))}
            for level, table in history.levels.items()
        }
        for name, learnt in numbers.items():
            rows = {level: _without_whole(table[name]) for level, table in tables.items() if name in table}
            usual = self.cell_deviation * self._share(name)
            learnt["levels"] = nested({level: spread_of_cells(factor, usual) for level, factor in rows.items()})
            learnt["others"] = {level: concentration(factor) for level, factor in rows.items()}
        return Fit(self.name, self.version, since, numbers)

    def _option(self, factor: Factor) -> float:
        return spread_of_options(factor, self.option_deviation * self._share(factor.name))

    def _share(self, factor: str) -> float:
        return self.size_share if factor == "size" else 1.0

    def judge(self, evidence: Evidence, fit: Fit | None) -> Judgement:
        sums = evidence.sums.swapaxes(0, 1)
        if not (sums[0] != 0).any():
            return _nothing_known(sums.shape[1], sums.shape[0])
        nested_cells = nesting(evidence.cells)
        learnt = fit.numbers if fit else {}
        made_of = factors(sums)
        spreads = [self._spreads(evidence.cells, one.name, learnt.get(one.name, {})) for one in made_of]
        mixtures = mixed(made_of, nested_cells, spreads)
        levels = [levelled(factor, one, nested_cells.around) for factor, one in zip(made_of, mixtures, strict=True)]
        posterior, mean = _posterior(made_of, mixtures, levels)
        best, highest = contest(posterior, evidence.minimize)
        lost = mean - highest if evidence.minimize else highest - mean
        eager = best**self.zeal
        return Judgement(
            probability=eager / eager.sum(),
            mean=mean,
            lower=posterior.quantile(-Q90),
            upper=posterior.quantile(Q90),
            best=best,
            loss=np.maximum(lost, 0.0),
            weights=_product([np.maximum(1 + one.moved, LEAST_MEAN) for one in mixtures]),
        )

    def _spreads(self, cells: tuple[Cell, ...], factor: str, learnt: Mapping[str, Any]) -> Spreads:
        """What the fit says; for a level that it does not know, what is usual."""
        levels, others, share = learnt.get("levels", {}), learnt.get("others", {}), self._share(factor)
        usual = (self.cell_deviation * share) ** 2
        return Spreads(
            float(learnt.get("option", (self.option_deviation * share) ** 2)),
            np.array([levels.get(cell.level, usual) for cell in cells]),
            np.array([others.get(cell.level, 0.5) for cell in cells]),
        )


def _product(parts: list[Floats]) -> Floats:
    return reduce(np.multiply, parts)


def _without_whole(factor: Factor) -> Factor:
    return Factor(factor.name, factor.value[1:], factor.exposure[1:], factor.noise, factor.level[1:], factor.scale[1:])


def _posterior(made_of: list[Factor], mixtures: list[Mixture], levels: list[float]) -> tuple[Posterior, Floats]:
    if not made_of[0].is_relative:
        mean = levels[0] + made_of[0].scale[-1] * mixtures[0].mean
        return Posterior.normal(mean, made_of[0].scale[-1] ** 2 * mixtures[0].variance), mean
    mean, spread = np.ones(len(mixtures[0].mean)), np.ones(len(mixtures[0].mean))
    for one, level in zip(mixtures, levels, strict=True):
        relative = np.maximum(1 + one.mean, LEAST_MEAN)
        mean = mean * relative * level
        # As of a gamma posterior, whose variance grows with its mean.
        spread = spread * (1 + divided(one.variance, relative))
    return Posterior.gamma(mean, spread - 1), mean


def _nothing_known(options: int, cells: int) -> Judgement:
    even, unknown = np.full(options, 1 / options), np.full(options, np.nan)
    return Judgement(even, unknown, unknown, unknown, even, np.zeros(options), np.ones((options, cells)))
