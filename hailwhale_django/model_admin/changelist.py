"""A change list with columns of formulas, and in their order.

The store gives names in order; the database says which of them are objects that pass the filters. On an early page of
many objects, names are looked up some hundred at a time until the page is full; where that does not fill it, the
primary keys of all that pass are read, and nothing more of them. Only the objects of the page are read in full.

Objects that were never counted come last either way, in the order that the list has without a formula. Names of
objects that are no more are passed over, so pages have no holes.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache, cached_property
from typing import Any

from django.contrib.admin.views.main import ORDER_VAR, ChangeList
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext

from ..dashboards import writing
from ..dashboards.caveats import caveat
from ..dashboards.question import said
from ..engine.domain.query import Order
from ..engine.errors import HailWhaleError, InvalidInput
from .columns import Column, html
from .ranking import Ranking

PERIOD_VAR = "hw_period"

# Fewer than SQLite takes variables, and what it answers in a millisecond.
LOOKED_UP = 500

# Looking up as many names as this part of all objects costs about what reading all primary keys does.
EARLY = 4


class CountedChangeList(ChangeList):
    """Of a `HailWhaleAdminMixin`."""

    notes: list[str]

    # -- what is asked

    def get_filters_params(self, params: Any = None) -> dict[str, Any]:
        """The period is no filter of the database."""
        found: dict[str, Any] = super().get_filters_params(params)
        found.pop(PERIOD_VAR, None)
        return found

    @cached_property
    def columns(self) -> list[Column]:
        return [one for one in self.list_display if isinstance(one, Column)]

    @cached_property
    def orders(self) -> list[Order]:
        """The formulas by which objects are ordered before anything else. Behind another column they say nothing."""
        found = []
        for index, direction in self._asked_orders().items():
            column = self._column(index)
            if isinstance(column, Column) and column.is_ranked:
                found.append(Order(column.formula, descending=direction == "desc"))
            elif column is not None and self.get_ordering_field(column):
                break
        return found

    def get_ordering_field(self, field_name: Any) -> Any:
        return None if isinstance(field_name, Column) else super().get_ordering_field(field_name)

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        """What the database orders by: the other columns that were asked for, else what it would without any."""
        given, asked = self.params, super().get_ordering_field_columns()
        others = {index: way for index, way in asked.items() if not isinstance(self._column(index), Column)}
        texts = [f"{'-' if way == 'desc' else ''}{index}" for index, way in others.items()]
        self.params = {**given, ORDER_VAR: ".".join(texts)} if ORDER_VAR in given else given
        try:
            found: list[Any] = super().get_ordering(request, queryset)
        finally:
            self.params = given
        return found

    def get_ordering_field_columns(self) -> dict[int, str]:
        """What headings show an arrow for: a formula only where it has an effect."""
        effective = [order.formula for order in self.orders]
        columns = {index: self._column(index) for index in self._asked_orders()}
        return {
            index: way
            for index, way in self._asked_orders().items()
            if not isinstance(column := columns[index], Column) or column.formula in effective
        }

    def _asked_orders(self) -> dict[int, str]:
        """Columns by number, and which way round."""
        default = self.model_admin.get_hailwhale_ordering()
        if ORDER_VAR in self.params or default is None:
            return super().get_ordering_field_columns()
        found = [at for at, one in enumerate(self.list_display) if isinstance(one, Column)]
        way = "desc" if default.descending else "asc"
        return {at: way for at in found if self.list_display[at].formula == default.formula}

    def _column(self, index: int) -> Any:
        return self.list_display[index] if 0 <= index < len(self.list_display) else None

    # -- what is found

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.notes = []
        if not self.columns:
            return
        ranking, default = self._ranking(request.GET.get(PERIOD_VAR, "")), self.result_list
        self.span = writing.span(ranking.period)
        try:
            if self.orders:
                self.result_list = self._ranked(request, ranking)
            self._fill(ranking)
        except HailWhaleError as error:
            self.orders, self.result_list = [], default
            self.notes.append(gettext("The counts cannot be read now: %(error)s") % {"error": error})

    def _ranking(self, given: str) -> Ranking:
        counted = self.model_admin.hailwhale_counted()
        self.period = given or self.model_admin.hailwhale_period
        try:
            return Ranking.over(counted, self.period)
        except InvalidInput as error:
            self.notes.append(said(error))
        self.period = self.model_admin.hailwhale_period
        return Ranking.over(counted, self.period)

    def _ranked(self, request: HttpRequest, ranking: Ranking) -> QuerySet[Any]:
        """The objects of the page. A query set, for formsets want one; it is read, and then put in order."""
        edited = self._edited(request)
        pks = self._pks(ranking) if edited is None else edited
        places = {pk: place for place, pk in enumerate(pks)}
        objects = self.queryset.filter(pk__in=pks)
        objects._result_cache = sorted(objects, key=lambda obj: places[obj.pk])
        return objects

    def _pks(self, ranking: Ranking) -> list[Any]:
        """The primary keys of this page."""
        others = self._has_other_orders()
        start, stop = self._slice()
        if not others and stop * EARLY <= self.result_count:
            early = self._looked_up(ranking, stop)
            if len(early) >= stop:
                return early[start:stop]
        places = ranking.places(self.orders, shared=others)
        names = ranking.counted.pks(self.queryset)
        return sorted(names, key=lambda pk: places.get(names[pk], len(places)))[start:stop]

    def _looked_up(self, ranking: Ranking, stop: int) -> list[Any]:
        """The first objects by their names in order: `stop` of them, unless many names are of no object that passes."""
        names = list(ranking.places(self.orders, limit=stop + LOOKED_UP))
        found: list[Any] = []
        for begin in range(0, len(names), LOOKED_UP):
            if len(found) < stop:
                found += ranking.counted.named(self.queryset, names[begin : begin + LOOKED_UP])
        return found

    def _slice(self) -> tuple[int, int]:
        if (self.show_all and self.can_show_all) or not self.multi_page:
            return 0, self.result_count
        return (self.page_num - 1) * self.list_per_page, self.page_num * self.list_per_page

    def _has_other_orders(self) -> bool:
        """Whether other columns decide among equals."""
        asked = map(self._column, super().get_ordering_field_columns()) if ORDER_VAR in self.params else ()
        return any(column is not None and self.get_ordering_field(column) for column in asked)

    def _edited(self, request: HttpRequest) -> list[Any] | None:
        """Whom a form was about, in its order: meanwhile others may have come before them."""
        if request.method != "POST" or not self.list_editable or "_save" not in request.POST:
            return None
        pk = self.opts.pk
        fields = re.compile(rf"form-\d+-{re.escape(pk.name)}")
        try:
            return [pk.to_python(value) for name, value in request.POST.items() if fields.fullmatch(name)]
        except ValidationError:
            return []

    def _fill(self, ranking: Ranking) -> None:
        """Put values into the columns."""
        names = {obj.pk: ranking.counted.name(obj) for obj in self.result_list}
        formulas = [column.formula for column in self.columns]
        values, warnings = ranking.values(formulas, list(names.values()), self.orders) if names else ({}, [])
        self.notes += map(caveat, warnings)
        filled = {}
        for at, column in enumerate(self.columns):
            texts = {pk: html(values[name][at]) for pk, name in names.items() if name in values}
            about = f"{column.formula}, {self.span}"
            filled[column] = replace(column, about=about, texts=texts)
        self.list_display = [filled.get(one, one) if isinstance(one, Column) else one for one in self.list_display]

    # -- what is offered

    @property
    def period_links(self) -> list[tuple[str, str, bool]]:
        """Periods: what each is called, the address of the list in it, and whether it is this one."""
        offered = dict(writing.presets())
        default = self.model_admin.hailwhale_period
        texts = dict.fromkeys([*([] if default in offered else [default]), *offered])
        if self.period not in texts:
            texts[self.period] = None
        return [
            (offered.get(text, text), self.get_query_string({PERIOD_VAR: text}), text == self.period) for text in texts
        ]


@cache
def counted_change_list(base: type[ChangeList]) -> type[ChangeList]:
    """A project's own change list, with columns of formulas."""
    if issubclass(base, CountedChangeList):
        return base
    return type(f"Counted{base.__name__}", (CountedChangeList, base), {})
