"""A ranked table as a file for spreadsheets, written while it is sent."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from typing import Any

from django.http import StreamingHttpResponse
from django.utils.text import slugify

from .dashboards import table
from .engine.domain.answer import Answer

# The mark by which spreadsheets know that a text is UTF-8.
BYTE_ORDER_MARK = "\ufeff"


def spreadsheet(answer: Answer) -> StreamingHttpResponse:
    """The answer as CSV, under the name of what was asked."""
    query = answer.query
    words = [*query.pk, *query.dimension, query.period.text.replace("..", " to ")]
    name = "-".join(filter(None, map(slugify, words))) or "counter"
    response = StreamingHttpResponse(_lines(table.spreadsheet(answer)), content_type="text/csv; charset=utf-8")
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
