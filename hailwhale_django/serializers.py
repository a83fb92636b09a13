"""What each endpoint may be asked, and what it answers.

Here only names and simple types are read: names, dimensions, metrics, periods and formulas are the engine's to
understand, and it says what is wrong with them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from math import isfinite, nan
from typing import Any, ClassVar, NoReturn
from zoneinfo import ZoneInfo

from rest_framework import serializers
from rest_framework.fields import empty

from .conf import DEFAULT_STORE
from .dashboard_models import Annotation
from .engine.domain.answer import Answer, Cell, Row
from .engine.domain.formula import Formula
from .engine.domain.overlap import DEFAULT_ROWS, MAX_ROWS, Overlap
from .engine.domain.paths import path_of
from .engine.domain.period import Period
from .engine.domain.query import DEFAULT_LIMIT, MAX_LIMIT, Query, whole_number
from .engine.errors import InvalidInput, TooLarge
from .engine.pod import MAX_TREE_DEPTH
from .engine.shapes import ByPath

EVERYTHING = "_"
"""HailWhale's counter for those who name none."""

MAX_ITEMS = 1_000  # dimensions in one question
MAX_ORDERS = 20  # each is a formula over all rows
MAX_PERIODS = 20  # each is read on its own
MAX_OFFSET = 10**9

NUMBER = "use a number, 0 or more, e.g. 3600"

TWINS = (("dimension", "dimensions"), ("metric", "metrics"), ("period", "periods"), ("tzoffset", "zone"))
"""Spellings of one parameter."""

_OTHER_SPELLING = {**dict(TWINS), **{second: first for first, second in TWINS}}


class Parameter(serializers.Field):
    """Anything that JSON can say. What is absent, or null, leaves the default to whoever is asked."""

    def __init__(self, at_most: int = MAX_ITEMS, **kwargs: Any) -> None:
        if "default" not in kwargs:
            kwargs["required"] = False
        super().__init__(**kwargs)
        self.at_most = at_most

    def run_validation(self, data: Any = empty) -> Any:
        return super().run_validation(empty if data is None else data)

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, list) and len(data) > self.at_most:
            raise TooLarge(self._name, data, f"at most {self.at_most:,} at once, not {len(data):,}")
        return data

    def refuse(self, data: Any, expected: str) -> NoReturn:
        raise InvalidInput(self._name, data, expected)

    @property
    def _name(self) -> str:
        return self.field_name or ""


class CounterKey(Parameter):
    """A counter's name or path. A null was meant to be one, so the engine gets it, and refuses it."""

    def run_validation(self, data: Any = empty) -> Any:
        return None if data is None else super().run_validation(data)


class PartOfCounter(Parameter):
    """A dimension to reset. An empty one was meant to be one, too: it must not reset the whole counter."""

    def to_internal_value(self, data: Any) -> Any:
        if data in ("", [], {}):
            self.refuse(data, "name the dimension, or leave it out to reset the whole counter")
        return super().to_internal_value(data)


class Text(Parameter):
    def to_internal_value(self, data: Any) -> str:
        return data if isinstance(data, str) else self.refuse(data, "use text")


class Switch(Parameter):
    """True or false, also as a form or a URL writes them."""

    def run_validation(self, data: Any = empty) -> Any:
        return super().run_validation(None if data == "" else data)

    def to_internal_value(self, data: Any) -> bool:
        known = {"true": True, "1": True, "on": True, "false": False, "0": False, "off": False}
        text = data.lower() if isinstance(data, str) else str(data).lower() if data in (True, False) else "?"
        return known[text] if text in known else self.refuse(data, "use true or false")


class WholeNumber(Parameter):
    def __init__(self, lowest: int, highest: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.lowest = lowest
        self.highest = highest

    def run_validation(self, data: Any = empty) -> Any:
        return super().run_validation(None if data == "" else data)

    def to_internal_value(self, data: Any) -> int:
        return whole_number(self._name, data, self.lowest, self.highest)


class Name(Parameter):
    """Text, or a number that is one: an id."""

    def to_internal_value(self, data: Any) -> str:
        if isinstance(data, str) or (isinstance(data, int) and not isinstance(data, bool)):
            return str(data)
        return self.refuse(data, "use text")


class Number(Parameter):
    """A number, also as a URL writes it."""

    def run_validation(self, data: Any = empty) -> Any:
        return super().run_validation(None if data == "" else data)

    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, str | int | float) and not isinstance(data, bool):
            try:
                found = float(data)
            except (ValueError, OverflowError):
                found = nan
            if found >= 0 and isfinite(found):
                return found
        return self.refuse(data, NUMBER)


class Options(Parameter):
    """A list of options, or an object of decisions and their lists."""

    def to_internal_value(self, data: Any) -> Any:
        several = list(data.values()) if isinstance(data, dict) else [data]
        if sum(len(one) if isinstance(one, list) else 1 for one in several) > self.at_most:
            raise TooLarge(self._name, data, f"at most {self.at_most:,} at once")
        return data


class Terms(Parameter):
    """Settings of a policy: numbers, texts, and numbers by option."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, dict) or "name" in data or not all(map(self._fits, data.values())):
            self.refuse(data, 'use an object of numbers, e.g. {"epsilon": 0.1}')
        return data

    def _fits(self, value: Any) -> bool:
        if isinstance(value, dict):
            return all(isinstance(one, int | float) and not isinstance(one, bool) for one in value.values())
        return isinstance(value, str | int | float)


class Periods(Parameter):
    """One period or a list of them."""

    def to_internal_value(self, data: Any) -> list[str]:
        periods = data if isinstance(data, list) else [data]
        if len(periods) > MAX_PERIODS:
            raise TooLarge(self._name, data, f"at most {MAX_PERIODS} periods at once, not {len(periods)}")
        if not all(isinstance(one, str) or type(one) is int for one in periods):
            self.refuse(data, "use a period or a list of them, e.g. today")
        return [str(one) for one in periods]


class ParametersSerializer(serializers.Serializer):
    """The parameters of an endpoint. A name that is not known is refused: what is misspelt would else be ignored."""

    spellings: ClassVar[Mapping[str, str]] = _OTHER_SPELLING

    def to_internal_value(self, data: Mapping[str, Any]) -> dict[str, Any]:
        spelt: dict[str, Any] = {}
        given_as: dict[str, str] = {}
        for name, value in data.items():
            known = name if name in self.fields else self.spellings.get(name, name)
            if known in spelt:
                raise InvalidInput(name, value, f"it was given as {given_as[known]}, too; give one of them")
            spelt[known], given_as[known] = value, name
        if unknown := [name for name in spelt if name not in self.fields]:
            raise InvalidInput("parameters", unknown, f"known are {', '.join(self.fields) or 'none'}")
        return dict(super().to_internal_value(spelt))


class CountSerializer(ParametersSerializer):
    pk = CounterKey(default=EVERYTHING)
    dimensions = Parameter()
    metrics = Parameter()
    at = Parameter()


class EventSerializer(ParametersSerializer):
    token = Text()
    pk = CounterKey(default=None)
    name = Text()
    page = Text()
    referrer = Text()
    link = Text()
    props = Parameter()
    metrics = Parameter()
    id = Text()


class CountDecisionSerializer(ParametersSerializer):
    pk = CounterKey(default=None)
    decided = Parameter()
    decision = Parameter()
    option = Parameter()
    decision_id = Text()
    visitor = Name()
    dimensions = Parameter()
    metrics = Parameter()
    at = Parameter()
    id = Name()


class DecideSerializer(ParametersSerializer):
    pk = CounterKey(default=None)
    decision = Name()
    options = Options()
    formula = Text()
    dimensions = Parameter(source="known_dimensions")
    period = Parameter()
    at = Parameter()
    minimize = Switch()
    policy = Text()
    settings = Terms()
    bad_idea_threshold = Number()
    test_idea_threshold = Number()
    visitor = Name()
    seed = Name()
    forced = Name()
    hold = Number()
    window = Number()
    together = Switch(default=False)
    choice = Switch(default=False)

    spellings: ClassVar[Mapping[str, str]] = {
        **ParametersSerializer.spellings,
        "by_metric": "formula",
        "known_dimensions": "dimensions",
        "known_data": "dimensions",
    }


class ChooseSerializer(ParametersSerializer):
    token = Text()
    decision = Text()


class CreditSerializer(ParametersSerializer):
    token = Text()
    decision = Text()
    metrics = Parameter()
    id = Name()


class CollectdSerializer(ParametersSerializer):
    rates = Switch(default=False)


class AnnotateSerializer(ParametersSerializer):
    text = Text()
    at = Parameter()
    until = Parameter()
    counter = CounterKey(default=None)
    link = Text()
    store = Text(default=DEFAULT_STORE)


class AnnotationsSerializer(ParametersSerializer):
    counter = CounterKey(default=None)
    until = Parameter()
    store = Text(default=DEFAULT_STORE)

    def get_fields(self) -> dict[str, Any]:
        """`from`, which Python keeps for itself, and the others."""
        return {"from": Parameter(), **super().get_fields()}


class UpdateCountToSerializer(ParametersSerializer):
    pk = CounterKey(default=None)
    dimensions = Parameter()
    metrics = Parameter()
    period = Parameter()
    at = Parameter()
    rank = Parameter()


class ResetSerializer(ParametersSerializer):
    pk = CounterKey(default=None)
    dimension = PartOfCounter()
    metric = Text()


class TotalsSerializer(ParametersSerializer):
    pk = CounterKey(default=EVERYTHING)
    dimensions = Parameter()
    metrics = Parameter()
    periods = Periods()
    tzoffset = Parameter()


class PlotpointsSerializer(ParametersSerializer):
    pk = CounterKey(default=EVERYTHING)
    dimensions = Parameter()
    metrics = Parameter()
    depth = WholeNumber(0, MAX_TREE_DEPTH)
    period = Parameter()
    tzoffset = Parameter()
    sort = Text()
    limit = WholeNumber(1, MAX_LIMIT, default=10)


class RankSerializer(ParametersSerializer):
    pk = CounterKey(default=EVERYTHING)
    dimension = Parameter()
    metric = Parameter()
    period = Parameter()
    tzoffset = Parameter()
    recursive = Switch()
    points = Switch()
    by = Text()
    counters = Switch()
    limit = WholeNumber(1, MAX_LIMIT, default=DEFAULT_LIMIT)


class OverlapSerializer(ParametersSerializer):
    pk = CounterKey(default=EVERYTHING)
    metric = Text()
    dimension = Parameter()
    names = Parameter(at_most=MAX_ROWS)
    period = Parameter()
    tzoffset = Parameter()
    counters = Switch(default=False)
    limit = WholeNumber(1, MAX_ROWS, default=DEFAULT_ROWS)


class QuerySerializer(ParametersSerializer):
    pk = CounterKey(default=None)
    dimension = Parameter()
    metrics = Parameter()
    period = Parameter()
    interval = Text()
    tzoffset = Parameter()
    filters = Parameter()
    order_by = Parameter(at_most=MAX_ORDERS)
    limit = WholeNumber(1, MAX_LIMIT, default=DEFAULT_LIMIT)
    offset = WholeNumber(0, MAX_OFFSET)
    depth = WholeNumber(1, MAX_TREE_DEPTH)
    compare = Parameter(source="versus")
    counters = Switch()
    bounds = Switch()
    points = Switch(source="plotted")


class ExplainSerializer(ParametersSerializer):
    pk = CounterKey(default=None)
    formula = Parameter(default=None)
    period = Parameter()
    versus = Parameter()
    dimension = Parameter()
    dimensions = Parameter()
    depth = WholeNumber(1, MAX_TREE_DEPTH)
    limit = WholeNumber(1, MAX_LIMIT)
    tzoffset = Parameter()

    # A path is to be explained, by dimensions that have names: these are two things here.
    spellings: ClassVar[Mapping[str, str]] = {
        **ParametersSerializer.spellings,
        "metric": "formula",
        "metrics": "formula",
        "compare": "versus",
    }


def ranked_rows(found: ByPath, limit: int) -> dict[str, Any]:
    """The first rows of a rank, in a list, since not every reader keeps the order of an object."""
    rows = []
    for row in list(found.values())[:limit]:
        points = {"points": list(map(list, row["points"].items()))} if "points" in row else {}
        rows.append({"dimension": row["dimension"], "path": list(path_of(row["dimension"])), **row, **points})
    return {"rows": rows, "count": len(found)}


def table(answer: Answer, generated_at: datetime, took_ms: float) -> dict[str, Any]:
    """An answer: each row has one cell a column, each cell only what was asked for."""
    query = answer.query
    keys = [_cell_keys(query, formula) for formula in answer.columns]
    return {
        "query": understood(query),
        "columns": [_column(formula) for formula in answer.columns],
        "rows": [_row(row, keys) for row in answer.rows],
        "other": None if answer.other is None else _row(answer.other, keys),
        "totals": _row(answer.totals, keys),
        "meta": {
            "count": answer.count,
            "warnings": answer.warnings,
            "labels": answer.labels,
            "generated_at": generated_at.isoformat(),
            "took_ms": round(took_ms, 3),
        },
    }


def overlap(found: Overlap) -> dict[str, Any]:
    """A matrix, with the names of its rows and columns."""
    return {
        "names": found.names,
        "matrix": found.matrix,
        "standard_error": found.standard_error,
        "warnings": found.warnings,
    }


def annotation(found: Annotation) -> dict[str, Any]:
    """When it was, in UTC, and what."""
    return {
        "id": found.pk,
        "at": _utc(found.at),
        "until": None if found.until is None else _utc(found.until),
        "text": found.text,
        "link": found.link,
        "counter": found.counter,
        "store": found.store,
        "who": found.who,
    }


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


def understood(query: Query) -> dict[str, Any]:
    """A query in the one spelling in which it was understood."""
    return {
        "pk": list(query.pk),
        "dimension": list(query.dimension),
        "metrics": [str(formula) for formula in query.formulas],
        "period": period(query.period),
        "compare": None if query.compare is None else period(query.compare),
        "order_by": [order.to_wire() for order in query.orders()],
        "filters": [test.to_wire() for test in query.filters],
        "limit": query.limit,
        "offset": query.offset,
        "depth": query.depth,
        "counters": query.counters,
        "bounds": query.bounds,
        "points": query.plotted,
    }


def period(span: Period) -> dict[str, str]:
    """What a period was understood as."""
    zone = span.zone
    return {
        "text": span.text,
        "start": span.start.isoformat(),
        "end": span.end.isoformat(),
        "interval": str(span.interval),
        "zone": zone.key if isinstance(zone, ZoneInfo) else str(zone),
    }


def _column(formula: Formula) -> dict[str, Any]:
    return {"formula": str(formula), "ratio": formula.is_ratio, "kind": formula.kind}


def _cell_keys(query: Query, formula: Formula) -> list[str]:
    """What a cell of a column says; of what is no number, that alone."""
    if not formula.is_number:
        return ["text"] if formula.kind == "text" else ["list"]
    keys = ["value", "share", "difference", "effect", "important"]
    if formula.is_ratio:
        keys += ["numerator", "denominator"]
    if query.needs_bounds():
        keys += ["low", "high"]
    if query.compare is not None:
        keys += ["before", "change"]
    if query.plotted:
        keys += ["points"]
    return keys


def _row(row: Row, keys: list[list[str]]) -> dict[str, Any]:
    return {"path": list(row.path), "name": row.name, "cells": list(map(_cell, row.cells, keys))}


def _cell(cell: Cell, keys: list[str]) -> dict[str, Any]:
    if keys in (["text"], ["list"]):
        return {"value": None, keys[0]: cell.told}
    return {key: getattr(cell, key) for key in keys}
