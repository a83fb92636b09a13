"""What the address of a dashboard says: the period, filters, and of single panels their order and where they are.

As of a counter's page, every link is this state with something changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.http import QueryDict

from .spec import MAX_FILTERS

OF_PANELS = {"o": "order", "d": "path", "s": "style", "log": "log", "page": "page", "m": "columns"}
"""What the address may say of a panel, before its key: `o12=-revenue` orders panel 12."""

MAX_OF_PANELS = 100
MAX_CHARACTERS = 2000

NO_FILTERS = "-"
"""Says that the filters that the dashboard begins with are taken away."""

_OF_PANEL = re.compile(rf"({'|'.join(OF_PANELS)})([0-9]{{1,18}})")


@dataclass(frozen=True, slots=True)
class BoardState:
    """What is empty is left to the dashboard; `filters` is None where nothing is said of them."""

    period: str = ""
    compare: str = ""
    interval: str = ""
    filters: tuple[str, ...] | None = None
    panels: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of_link(cls, given: QueryDict) -> BoardState:
        """Read a query string as this module's links, and the forms of the page, write it."""
        named = {name: given.getlist(name)[-1] for name in given if _OF_PANEL.fullmatch(name) and given[name]}
        period = given.get("p", "").strip()
        if first := given.get("from", "").strip():
            period = f"{first}..{given.get('to', '').strip() or first}"
        compare = given.get("c", "").strip()
        if compare == "custom":
            first = given.get("cfrom", "").strip()
            compare = f"{first}..{given.get('cto', '').strip() or first}" if first else ""
        listed = [text for text in given.getlist("f")[: MAX_FILTERS + 1] if text]
        filters = tuple(text for text in listed if text != NO_FILTERS) if listed else None
        return cls(
            period[:MAX_CHARACTERS],
            compare[:MAX_CHARACTERS],
            given.get("i", "").strip()[:MAX_CHARACTERS],
            filters,
            tuple((name, value[:MAX_CHARACTERS]) for name, value in list(named.items())[:MAX_OF_PANELS]),
        )

    def of(self, name: str, key: str) -> str:
        """What is said of a panel: `of("o", "12")` is its order."""
        return dict(self.panels).get(f"{name}{key}", "")

    def link(self, **changes: str | tuple[str, ...]) -> str:
        """The query string with the period, the comparison, the interval or the filters changed."""
        return replace(self, **changes).query()  # type: ignore[arg-type]

    def panel_link(self, key: str, **changes: str) -> str:
        """The query string with something of a panel changed; another order or path begins on the first page."""
        changed = {"page": "", **changes}
        kept = dict(self.panels) | {f"{name}{key}": value for name, value in changed.items()}
        return replace(self, panels=tuple((name, value) for name, value in kept.items() if value)).query()

    def query(self) -> str:
        return "?" + urlencode(list(self.pairs()))

    def pairs(self, *left_out: str) -> Iterator[tuple[str, str]]:
        """Names and values, without some of the names."""
        pairs = [("p", self.period), ("c", self.compare), ("i", self.interval), *self._filters(), *self.panels]
        return ((name, value) for name, value in pairs if value and name not in left_out)

    def _filters(self) -> Sequence[tuple[str, str]]:
        if self.filters is None:
            return []
        return [("f", text) for text in self.filters] or [("f", NO_FILTERS)]
