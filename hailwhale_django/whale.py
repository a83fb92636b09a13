"""`Whale`: count, and ask what was counted.

    Whale.count_now("shop", {"country": "US"}, {"revenue": 9.5})
    Whale.total("shop", "revenue", period="today")

Everywhere: a *pk* is a counter's name or path (`"shop"`, `["Product", "123"]`; counting on a path also counts on each
of its prefixes). A *dimension* is a path (`"country"`, `["country", "US"]`, `"country/US"`, `{"country": "US"}`). A
*metric* is a name or a formula (`"revenue/visitors"`); one whose name begins with a recipe (`uv:visitor`, `pct95:ms`,
`top10:sum:page`) is a sketch, see docs/sketches.md. A *period* is a text such as `today`, `7d`, `mtd`, `1h:1w` or
`2026-03-01..2026-03-31`; see docs/reading.md. Both spellings of an argument work: `metric` and `metrics`, `dimension`
and `dimensions`, `period` and `periods`.

Errors are of one family, `hailwhale_django.engine.errors.HailWhaleError`: `InvalidInput` for what cannot be understood,
`StoreUnavailable` when the server does not answer.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any

from . import caching, drawing
from .conf import DEFAULT_STORE
from .deciding import Deciding
from .engine import shapes
from .engine.domain.answer import Answer
from .engine.domain.overlap import Overlap
from .engine.domain.paths import Path
from .engine.errors import InvalidInput, OnError
from .engine.explain.explanation import Explanation, Movers
from .engine.pod import BATCH
from .engine.shapes import ByPath

QUERY_TWINS = {"dimensions": "dimension", "metric": "metrics", "periods": "period"}

Points = Callable[[list[tuple[Any, float]]], Any]


class Whale(Deciding):
    """The counted state of one store. All methods are class methods; nobody makes a whale."""

    # -- counting --------------------------------------------------------------------------------------------------

    @classmethod
    def count_now(
        cls,
        pk: Any,
        dimensions: Any = None,
        metrics: Any = None,
        at: Any = None,
        *,
        dimension: Any = None,
        metric: Any = None,
    ) -> None:
        """Count one event now: one round trip, done when it returns.

        `dimensions` may nest to any depth: `{"country": {"US": "CA"}}` counts on country, country/US and country/US/CA.
        `metrics` are numbers by name (or names, which count 1 each); `hits: 1` is added unless named. Sketches take a
        text or a number, or a list of them: `{"uv:visitor": "u42", "pct95:ms": [87, 90]}`; those that rank take
        `"item:number"` or a dict: `{"top10:sum:page": {"/pricing": 1}}`. `at` is when it happened: a datetime (naive
        means UTC), seconds since the epoch or an ISO 8601 string; default now.

        Raises `CounterOverflow` or `TooManyNames` for what did not fit, when all else is counted; `InvalidInput`,
        and then nothing is counted; `StoreUnavailable`, and then it may have been counted or not.
        """
        cls.pod().count(pk, _either(dimensions, dimension), _either(metrics, metric), at)

    @classmethod
    def count_many(cls, events: Iterable[Any], on_error: OnError | None = None, *, batch: int = BATCH) -> int:
        """Count many events, folded together `batch` by batch; returns how many were counted.

        An event is a dict `{"pk", "dimensions", "metrics", "at"}` (only `pk` is needed) or a tuple in that order. What
        of a batch cannot be counted is told to `on_error(error, event)` (`event` is None when the error concerns
        several); without it the first error is raised once the batch's valid events are counted.
        """
        return cls.pod().count_many(events, on_error, batch)

    @classmethod
    def update_count_to(
        cls,
        pk: Any,
        dimensions: Any = None,
        metrics: Any = None,
        period: Any = "1d",
        at: Any = None,
        rank: bool | None = None,
        *,
        dimension: Any = None,
        metric: Any = None,
    ) -> None:
        """Set, rather than add to, the bucket that holds `at` of exactly this dimension path.

        `period` is the bucket's interval, one of those that are kept; every other interval changes by as much, so that
        buckets still add up. Neither the path's parents nor the whole change. `rank` is accepted and not needed.
        Sketches only grow, and cannot be set.
        """
        interval = str(period).split(":")[0]
        cls.pod().update_count_to(pk, _either(dimensions, dimension), _either(metrics, metric), interval, at)

    @classmethod
    def reset(cls, pk: Any, dimension: Any = None, metric: str | None = None) -> None:
        """Remove a counter and its child counters, or only one dimension path, or only one metric, of it.

        A sketch goes with all that tells of it: `pct:ms`, `pct95:ms` and `hist:ms` are one.
        """
        cls.pod().reset(pk, dimension, metric)

    # -- reading ---------------------------------------------------------------------------------------------------

    @classmethod
    def query(cls, pk: Any, **asked: Any) -> Answer:
        """A ranked table of a path's children, as an `Answer` with `columns`, `rows`, `other`, `totals`, `warnings`.

        `dimension` (default the whole), `metrics` (formulas, default hits), `period`, `interval`, `order_by` (default
        the first formula, best first; `"low:revenue/visitors"` orders by the lower bound), `filters`, `limit`,
        `offset`, `depth` (levels of children), `versus` (`"previous"`, `"year"`, `"weekdays"` or a period), `counters`
        (rows are child counters), `bounds` (95% intervals), `plotted` (a value for each bucket), `tzoffset` (a zone).

        What is no number is in a cell's `told`: of `top10:sum:page` a list of (item, number), of `hist:ms` one of
        (upper edge, count), of `mh:visitor` a text. Rows are not ordered by these.
        """
        return cls.pod().query(pk, **{QUERY_TWINS.get(name, name): value for name, value in asked.items()})

    @classmethod
    def plotpoints(
        cls,
        pk: Any,
        dimensions: Any = None,
        metrics: Any = None,
        depth: int = 0,
        period: Any = None,
        tzoffset: Any = None,
        flot_time: bool = False,
        points_type: Points = OrderedDict,
        descending: bool = False,
        with_totals: bool = False,
        sort: str | None = None,
        limit: int | None = None,
        *,
        dimension: Any = None,
        metric: Any = None,
        periods: Any = None,
    ) -> ByPath:
        """What to draw: `{path: {metric: {label: value}}}`, dense, oldest first (newest with `descending`).

        Rows are the path itself and `depth` levels below it, best first by `sort` (default the first metric); `limit`
        counts the path's own row too, which always stays. A ratio is 0 where its denominator is. `flot_time` gives
        `[[milliseconds, value], ...]`; `points_type` makes something else of the (label, value) pairs; `with_totals`
        adds `("Total", sum or ratio of sums)`. The result also answers to the pk's own name, for the whole.
        """
        return shapes.plotpoints(
            cls.pod(),
            pk,
            _either(dimensions, dimension),
            _either(metrics, metric),
            depth,
            _either(period, periods),
            tzoffset,
            flot_time,
            points_type,
            descending,
            with_totals,
            sort,
            limit,
        )

    @classmethod
    def totals(
        cls,
        pk: Any,
        dimensions: Any = None,
        metrics: Any = None,
        periods: Any = None,
        tzoffset: Any = None,
        *,
        dimension: Any = None,
        metric: Any = None,
        period: Any = None,
    ) -> dict[Any, ByPath]:
        """Sums: `{period as asked: {path: {metric: value}}}`, for HailWhale's five sizes unless periods are named.

        A ratio is that of the sums, and its sides come along. A sketch is that of the period as a whole: the visitors
        of a month are its different visitors, not the sum of each day's. Lists are lists of pairs.
        """
        return shapes.totals(
            cls.pod(), pk, _either(dimensions, dimension), _either(metrics, metric), _either(periods, period), tzoffset
        )

    @classmethod
    def total(
        cls,
        pk: Any,
        metric: Any = None,
        dimension: Any = None,
        period: Any = None,
        tzoffset: Any = None,
        index: int | None = None,
        *,
        metrics: Any = None,
        dimensions: Any = None,
        periods: Any = None,
    ) -> Any:
        """One number: a metric or formula over a period (default `1d:1mo`), or with `index` in one of its buckets.

        Of a sketch that tells no number it is what that tells: a list of pairs, or a text; `None` of nothing.
        """
        return shapes.total(
            cls.pod(),
            pk,
            _either(metric, metrics),
            _either(dimension, dimensions),
            _either(period, periods),
            tzoffset,
            index,
        )

    @classmethod
    def today(cls, pk: Any, metric: Any = None, dimension: Any = None, tzoffset: Any = None) -> float:
        """`total` of the current day."""
        return cls.total(pk, metric, dimension, "today", tzoffset)

    @classmethod
    def yesterday(cls, pk: Any, metric: Any = None, dimension: Any = None, tzoffset: Any = None) -> float:
        """`total` of the day before."""
        return cls.total(pk, metric, dimension, "yesterday", tzoffset)

    # -- ranking ---------------------------------------------------------------------------------------------------

    @classmethod
    def rank(
        cls,
        pk: Any,
        metric: Any = None,
        dimension: Any = None,
        period: Any = None,
        *,
        recursive: bool = False,
        points: bool = False,
        by: str = "value",
        counters: bool = False,
        tzoffset: Any = None,
        metrics: Any = None,
        dimensions: Any = None,
    ) -> ByPath:
        """The children of a path, best first: `{path: {...}}` in that order.

        Each has `score` (the metric or formula), `value` and `count` (of a ratio: numerator and denominator), `share`
        of the parent, HailWhale's `difference`, `effect` and `important`, and the bounds `low` and `high` of a ratio.
        `by="low"` ranks by what is certain, so that a lucky few do not come first. `recursive` takes all levels and
        the path itself, `counters` child counters in place of dimensions, `points` a value for each bucket.
        """
        return shapes.rank(
            cls.pod(),
            pk,
            _either(metric, metrics),
            _either(dimension, dimensions),
            period,
            tzoffset,
            recursive,
            points,
            by,
            counters,
        )

    @classmethod
    def rank_subdimensions_scalar(
        cls,
        pk: Any,
        dimension: Any = None,
        metric: Any = None,
        period: Any = None,
        recursive: bool = True,
        points: bool = False,
    ) -> ByPath:
        """`rank` by a plain metric, over all levels unless `recursive` is False."""
        return cls.rank(pk, metric, dimension, period, recursive=recursive, points=points)

    @classmethod
    def rank_subdimensions_ratio(
        cls,
        pk: Any,
        numerator: str,
        denominator: str = "hits",
        dimension: Any = None,
        period: Any = None,
        recursive: bool = True,
        points: bool = False,
    ) -> ByPath:
        """`rank` by `numerator/denominator`, over all levels unless `recursive` is False."""
        formula = f"({numerator})/({denominator})"
        return cls.rank(pk, formula, dimension, period, recursive=recursive, points=points)

    @classmethod
    def zranked(
        cls,
        pk: Any,
        parent_dimension: Any = None,
        metric: Any = None,
        period: Any = None,
        start: int = 0,
        size: int = 10,
        sort_dir: str = "high",
        *,
        ratio: Any = None,
    ) -> list[str | list[str]]:
        """`size` children from rank `start` on, highest first (`sort_dir="low"`: lowest), without those that are 0."""
        if sort_dir not in ("high", "low"):
            raise InvalidInput("sort_dir", sort_dir, "use high or low")
        formula = _either(metric, ratio) or "hits"
        answer = cls.query(
            pk,
            dimension=parent_dimension,
            metrics=formula,
            period=period,
            filters=[["!=", formula, 0]],
            order_by=[[formula, "desc" if sort_dir == "high" else "asc"]],
            offset=start,
            limit=size,
        )
        return [_listed(row.path) for row in answer.rows]

    # -- overlap ---------------------------------------------------------------------------------------------------

    @classmethod
    def overlap(
        cls,
        pk: Any,
        metric: Any = None,
        dimension: Any = None,
        names: Any = None,
        limit: int | None = None,
        period: Any = None,
        *,
        counters: bool = False,
        tzoffset: Any = None,
        metrics: Any = None,
        dimensions: Any = None,
    ) -> Overlap:
        """How much of what the children of a path counted is the same, from a signature such as `mh:visitor`.

        An `Overlap`: `matrix[i][j]` estimates of the children `names[i]` and `names[j]` what is in both of what is in
        either, from 0 to 1 (`None` where either has nothing), with a `standard_error` of 0.0625 at most for `mh:x`. Of
        the children that are named, in that order, else of the first `limit` (default 10) by their hits.
        """
        found = (_either(dimension, dimensions), names, limit, period, tzoffset)
        return cls.pod().overlap(pk, _either(metric, metrics), *found, counters=counters)

    # -- names -----------------------------------------------------------------------------------------------------

    @classmethod
    def explain(
        cls,
        pk: Any,
        formula: Any,
        period: Any = None,
        versus: Any = "previous",
        dimensions: Any = None,
        depth: int | None = None,
        limit: int | None = None,
        *,
        dimension: Any = None,
        tzoffset: Any = None,
    ) -> Explanation:
        """What made a number move, from the period `versus` to `period`.

        The `Explanation` has the change of the whole (with `dimension`, of that path), its `causes` (at most 5: which
        children changed otherwise than the rest, by more than is ordinary for them, how, when, and what the whole would
        be worth without), and `breakdowns`: for each dimension, and each nested path worth looking into, the part that
        each child carries. Parts of a table, with `others`, `other` and `rest`, add up to the change. A ratio's parts
        are split into `rate` (the child itself changed) and `mix` (its share of the denominator did).

        `formula` tells a number that children have a part in: sums, ratios, uniques, anything made of them. `versus` is
        `previous`, `month`, `year`, `weekdays` or a period. Of `dimensions` (names, default all) only these are looked
        into, `depth` levels deep (default 3). `limit` is how many rows a table shows (default 10).

        See docs/explaining.md for how it is worked out. Raises `InvalidInput`, `TooLarge`, `StoreUnavailable`.
        """
        return cls.pod().explain(
            pk,
            formula,
            period=period,
            versus=versus,
            dimension=dimension,
            dimensions=dimensions,
            depth=depth,
            limit=limit,
            tzoffset=tzoffset,
        )

    @classmethod
    def movers(
        cls,
        pk: Any,
        formula: Any,
        period: Any = None,
        versus: Any = "previous",
        dimensions: Any = None,
        depth: int | None = None,
        limit: int | None = None,
        *,
        dimension: Any = None,
        tzoffset: Any = None,
    ) -> Movers:
        """The children that moved most, each against its own past, over all dimensions of a counter.

        Arguments as of `explain`; `limit` is how many are told (default 10). Each `Mover` has its `part` (what it was,
        is, and carries of the whole's change) and a `score`: how far its change is beyond those of its earlier periods,
        as a standard normal value. Who stays below 3 is not told.
        """
        return cls.pod().movers(
            pk,
            formula,
            period=period,
            versus=versus,
            dimension=dimension,
            dimensions=dimensions,
            depth=depth,
            limit=limit,
            tzoffset=tzoffset,
        )

    @classmethod
    def graph_tag(cls, pk: Any, *, base: str = "", max_age: int | None = None, **given: Any) -> str:
        """A script tag that draws a graph on any page, whoever reads it: signed, so that it draws nothing else.

        `given`: `dimension`, `metric`, `period`, `limit`, `depth`, `tzoffset`, `title`, `style`, `area`, `log`,
        `table`, `height`, `live`, `interval`, `theme`, `background`; see docs/embedding.md. `base` is where this site
        is seen from there (`https://shop.example`), by default `BASE_URL`; after `max_age` seconds it draws nothing.
        """
        return drawing.tag(
            {"pk": pk, **given, **({"store": cls.store} if cls.store != DEFAULT_STORE else {})}, base, max_age
        )

    @classmethod
    def get_subdimensions(cls, pk: Any, dimension: Any = None) -> list[str | list[str]]:
        """The children of a path as they were first seen: names below the whole, else lists of names."""
        return [_listed(path) for path in cls.pod().subdimensions(pk, dimension)]

    @classmethod
    def all_subdimensions(cls, pk: Any, dimension: Any = None) -> list[str | list[str]]:
        """A path and all beneath it, depth first."""
        return [_listed(path) for path in cls.pod().all_subdimensions(pk, dimension)]

    @classmethod
    def metrics_of(cls, pk: Any) -> list[str]:
        """Every metric that was ever counted on a counter, from A to Z."""
        return cls.pod().metrics_of(pk)

    @classmethod
    def counters(cls, parent: Any = None) -> list[str]:
        """The texts of all counters of one name, or of the child counters of `parent`."""
        return [str(path) for path in cls.pod().counters(parent)]

    # -- cached ----------------------------------------------------------------------------------------------------
    # The same answers from Django's cache, at most HAILWHALE["CACHE_SECONDS"] old; `unmemoize=True` asks anew.

    @classmethod
    def cached_plotpoints(cls, *args: Any, unmemoize: bool = False, **kwargs: Any) -> ByPath:
        """`plotpoints`, cached."""
        return caching.cached(cls, "plotpoints", args, kwargs, unmemoize)

    @classmethod
    def cached_totals(cls, *args: Any, unmemoize: bool = False, **kwargs: Any) -> dict[Any, ByPath]:
        """`totals`, cached."""
        return caching.cached(cls, "totals", args, kwargs, unmemoize)

    @classmethod
    def cached_total(cls, *args: Any, unmemoize: bool = False, **kwargs: Any) -> float:
        """`total`, cached."""
        return caching.cached(cls, "total", args, kwargs, unmemoize)

    @classmethod
    def cached_rank(cls, *args: Any, unmemoize: bool = False, **kwargs: Any) -> ByPath:
        """`rank`, cached."""
        return caching.cached(cls, "rank", args, kwargs, unmemoize)

    @classmethod
    def cached_query(cls, *args: Any, unmemoize: bool = False, **kwargs: Any) -> Answer:
        """`query`, cached."""
        return caching.cached(cls, "query", args, kwargs, unmemoize)


def _either(first: Any, second: Any) -> Any:
    """Whichever of two spellings was used."""
    return second if first is None else first


def _listed(path: Path) -> str | list[str]:
    return path.name if len(path) <= 1 else list(path)
