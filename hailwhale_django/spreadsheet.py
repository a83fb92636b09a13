"""A table as a file for spreadsheets, written while it is sent."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from typing import Any

from django.http import StreamingHttpResponse
from django.utils.text import slugify

from .dashboards import moverspanel, table
from .engine.domain.answer import Answer
from .engine.domain.query import Query
from .engine.explain.explanation import Movers

# The mark by which spreadsheets know that a text is UTF-8.
BYTE_ORDER_MARK = "\ufeff"


def spreadsheet(found: Answer | Movers) -> StreamingHttpResponse:
    """What was found as CSV, under the name of what was asked."""
    if isinstance(found, Movers):
        asked: Movers | Query = found
        rows: Iterable[list[Any]] = moverspanel.lines_of(found)
    else:
        asked, rows = found.query, table.spreadsheet(found)
    words = [*asked.pk, *asked.dimension, asked.period.text.replace("..", " to ")]
    name = "-".join(filter(None, map(slugify, words))) or "counter"
    response = StreamingHttpResponse(_lines(rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


class _Echo:
    """A file that keeps nothing: what is written comes back."""

    def write(self, text: str) -> str:
        return text


def _lines(rows: Iterable[list[Any]]) -> Iterator[str]:
    yield BYTE_ORDER_MARK
    writer = csv.writer(_Echo())
    for row in rows:
        yield writer.writerow(row)
