"""A formula while it is written: whether it will do, what it comes to, and which words could come next.

Everything is a dict of texts, as a page's script reads it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ..engine.domain.answer import Answer
from ..engine.domain.formula import CONSTANTS, Formula, parse
from ..engine.domain.paths import Path
from ..engine.domain.query import Query
from ..engine.domain.sketch import RECIPE
from ..engine.errors import InvalidInput
from ..engine.pod import Pod
from ..engine.reader import Outline
from .column import FORMATS, LESS_IS_BETTER, Column
from .offers import offered
from .question import never_counted, unknown_metrics
from .state import DEFAULT_PERIOD

KINDS = ("formula", "column")
"""What is written: only a formula, or a column with a title and a format."""

MAX_CHARACTERS = 1000

TELLS: Mapping[str, Any] = {
    "uv": _("how many different"),
    "pct": _("percentile"),
    "hist": _("histogram"),
    "dcy": _("sum that decays"),
    "mh": _("signature"),
    "fh": _("vector"),
    "top": _("the largest"),
    "bot": _("the smallest"),
    "min": _("least"),
    "max": _("greatest"),
    "avg": _("mean"),
    "std": _("standard deviation"),
    "var": _("variance"),
    "first": _("first"),
    "last": _("last"),
}

SUFFIXES: Mapping[str, Any] = {
    "@parent": _("of the row above"),
    "@_": _("of the whole"),
    ":cumulative": _("running total"),
    ":last": _("last value, carried on"),
}

FORMATTED: Mapping[str, Any] = {
    "$#": _("text, with # for the number"),
    **dict(zip(FORMATS, (_("of a hundred"), _("seconds"), _("milliseconds"), _("bytes")), strict=True)),
    LESS_IS_BETTER: _("a rise is bad"),
}


def drafted(text: str, kind: str, pk: Path, pod: Pod) -> dict[str, Any]:
    """What there is to say of a text: that it is `ok` and what it comes to, or the `problem`.

    Raises `InvalidInput` for another kind, and `StoreUnavailable`.
    """
    if kind not in KINDS:
        raise InvalidInput("kind", kind, f"use {' or '.join(KINDS)}")
    try:
        column = _read(text, kind)
    except InvalidInput as error:
        at = None if error.at is None else error.at + len(text) - len(text.lstrip())
        return {"ok": False, "problem": capfirst(error.expected), "at": at}
    formula = column.formula
    metrics, value = _counted(column, pk, pod)
    unknown = never_counted([formula], metrics)
    said = unknown_metrics([formula], metrics) or [_came_to(value)]
    return {
        "ok": True,
        "formula": str(Formula.of(formula.root)),
        "is_number": formula.is_number,
        "kind": formula.kind,
        "unknown": unknown,
        "value": value,
        "said": said[0],
    }


def completions(metrics: Sequence[str]) -> dict[str, list[dict[str, str]]]:
    """The words of formulas over these metrics, each with what it means."""
    return {
        "metrics": [_word(text, _meaning(text)) for text in offered(metrics)],
        "constants": [_word(text, gettext("constant")) for text in sorted(CONSTANTS)],
        "suffixes": [_word(text, meaning) for text, meaning in SUFFIXES.items()],
        "formats": [_word(text, meaning) for text, meaning in FORMATTED.items()],
    }


def _read(text: str, kind: str) -> Column:
    if len(text) > MAX_CHARACTERS:
        raise InvalidInput("formula", text, f"it has at most {MAX_CHARACTERS:,} characters, this has {len(text):,}")
    return Column.parse(text) if kind == "column" else Column(parse(text))


def _counted(column: Column, pk: Path, pod: Pod) -> tuple[list[str], str]:
    """The metrics of the counter, and the column's value of the whole; "" where it tells no number."""
    now = pod.clock()
    query = Query(pk=pk, formulas=(column.formula,), period=pod.period(DEFAULT_PERIOD, None, now), limit=0)
    outline, answer = pod.together([pod.reader.outlining(pk), pod.reader.tabling(query, now)])
    metrics = outline.metrics if isinstance(outline, Outline) else []
    shown = isinstance(answer, Answer) and column.formula.is_number
    return metrics, column.text(answer.totals.cells[0].value) if shown else ""


def _came_to(value: str) -> str:
    return gettext("%(value)s in the last 30 days") % {"value": value} if value else ""


def _word(text: str, meaning: Any) -> dict[str, str]:
    return {"text": text, "means": str(meaning)}


def _meaning(text: str) -> str:
    formula = parse(text)
    if formula.is_ratio:
        return gettext("ratio")
    (metric,) = formula.metrics
    if RECIPE.match(metric) is None:
        return gettext("sum")
    recipe = metric.partition(":")[0].rstrip("0123456789")
    return str(TELLS.get(recipe, gettext("sum")))
