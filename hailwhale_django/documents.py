"""Dashboards as documents: written out to be kept in a repository, and read in again.

A document is the `dashboards.spec` of one dashboard, in JSON or YAML; a file has one, a list of them, or several YAML
documents. `load` creates or replaces by the slug. Who owns a dashboard and who sees it is no part of it.

What is read is at most `MAX_BYTES` and `MAX_BOARDS`, has no key twice and none that is not known; all else is an
`InvalidInput`. YAML needs PyYAML (the extra `yaml`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from django.core.exceptions import ValidationError
from django.db import models, transaction

from . import wire
from .conf import known_store
from .dashboard_models import NEW_PLACE, Dashboard, Panel, as_invalid
from .dashboards.spec import BoardSpec, PanelSpec
from .engine.errors import InvalidInput, TooLarge

Format: TypeAlias = Literal["yaml", "json"]
Outcome: TypeAlias = Literal["created", "changed", "unchanged"]

MAX_BYTES = 1_000_000
MAX_BOARDS = 200

WITHOUT_YAML = "YAML needs PyYAML: pip install 'hailwhale_django[yaml]'; or use JSON"

SUBJECT = ("kind", "counter", "dimension", "counters", "formulas")
"""What a panel tells. A row stays the same panel only while this does: a shared link must never tell something else."""


@dataclass(frozen=True, slots=True)
class Document:
    """What was read of one dashboard, and where: `shop.yaml, dashboard 2`."""

    place: str
    given: Any

    def spec(self) -> BoardSpec:
        """Raises `InvalidInput`."""
        found = BoardSpec.parse(self.given)
        known_store(found.store)
        _check_fields(Dashboard(**_columns(found, BoardSpec.NAMES)), "")
        for number, panel in enumerate(found.panels, 1):
            _check_fields(Panel(**_columns(panel, PanelSpec.NAMES)), f"panels[{number}].")
        return found

    def complaint(self, error: InvalidInput) -> str:
        slug = self.given.get("slug") if isinstance(self.given, dict) else None
        return f"{self.place}{f' ({slug})' if isinstance(slug, str) and slug else ''}: {error}"


def dump(board: Dashboard) -> dict[str, Any]:
    """What `load` reads. Raises `InvalidInput` of rows that cannot be understood."""
    return board.spec().document()


def load(given: Any, owner: Any = None) -> tuple[Dashboard, Outcome]:
    """Create the dashboard with this slug, or make it what the document says; the owner is that of a new one.

    A panel that tells the same as before keeps its row, and so the links to it. Raises `InvalidInput`, and then
    nothing is changed.
    """
    spec = Document("", given).spec()
    with transaction.atomic():
        board = Dashboard.objects.select_for_update().filter(slug=spec.slug).first()
        outcome: Outcome = "created" if board is None else "changed"
        if board is None:
            board = Dashboard(owner=owner)
        elif _spec_of(board) == spec:
            return board, "unchanged"
        _fill(board, _columns(spec, BoardSpec.NAMES))
        board.save()
        _place(board, spec.panels)
    return board, outcome


def complaints(documents: Sequence[Document]) -> list[str]:
    """What is wrong with each, and which slugs are there twice."""
    found, places = [], dict[str, str]()
    for document in documents:
        try:
            slug = document.spec().slug
            if slug in places:
                raise InvalidInput("slug", slug, f"it is that of {places[slug]}, too")
            places[slug] = document.place
        except InvalidInput as error:
            found.append(document.complaint(error))
    return found


def read(raw: bytes, source: str) -> list[Document]:
    """The documents of a file; its name, or else how it begins, says whether it is JSON. Raises `InvalidInput`."""
    if len(raw) > MAX_BYTES:
        raise TooLarge(source, f"{len(raw):,} bytes", f"a file has at most {MAX_BYTES:,} bytes")
    text = _decoded(raw, source)
    found = _parsed(_read_json if _is_json(text, source) else _read_yaml, text, source)
    if len(found) > MAX_BOARDS:
        raise TooLarge(source, f"{len(found):,} dashboards", f"a file has at most {MAX_BOARDS:,}")
    return [Document(f"{source}, dashboard {number}", one) for number, one in enumerate(found, 1)]


def write(documents: Sequence[dict[str, Any]], form: Format) -> str:
    """A file of them: a single one by itself; several as a list of JSON, or as documents of YAML."""
    if form == "json":
        whole = documents[0] if len(documents) == 1 else list(documents)
        return json.dumps(whole, ensure_ascii=False, indent=2) + "\n"
    return str(_yaml("yaml").write(documents))


# -- rows ------------------------------------------------------------------------------------------------------------


def _place(board: Dashboard, specs: Sequence[PanelSpec]) -> None:
    """Make these the dashboard's panels, in this order, of as many of the rows as tell the same."""
    rows = [(panel, _spec_of(panel)) for panel in board.panels.all()]
    kept = _matched(specs, rows)
    Panel.objects.filter(pk__in=[row.pk for row, _ in rows if row not in kept]).delete()
    for number, (spec, row) in enumerate(zip(specs, kept, strict=True), 1):
        panel = row or Panel(dashboard=board)
        panel.place = number * NEW_PLACE
        _fill(panel, _columns(spec, PanelSpec.NAMES))
        panel.save()


def _matched(specs: Sequence[PanelSpec], rows: Iterable[tuple[Panel, PanelSpec | None]]) -> list[Panel | None]:
    """For each panel the row that is the same, else the first that tells the same, else none."""
    left = [(row, spec) for row, spec in rows if spec is not None]
    found: list[Panel | None] = [None] * len(specs)
    for same in (_itself, _subject):
        for at, wanted in enumerate(specs):
            match = next((one for one in left if found[at] is None and same(one[1]) == same(wanted)), None)
            if match is not None:
                left.remove(match)
                found[at] = match[0]
    return found


def _itself(spec: PanelSpec) -> Any:
    return spec


def _subject(spec: PanelSpec) -> Any:
    return tuple(getattr(spec, name) for name in SUBJECT)


def _spec_of(row: Any) -> Any:
    """A row's spec; `None` of one that cannot be understood, and is replaced."""
    try:
        return row.spec()
    except InvalidInput:
        return None


def _columns(spec: Any, names: Iterable[str]) -> dict[str, Any]:
    """The columns of its row, with lists as JSON has them."""
    values = ((name, getattr(spec, name)) for name in names)
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values}


def _fill(row: models.Model, columns: Mapping[str, Any]) -> None:
    for name, value in columns.items():
        setattr(row, name, value)


def _check_fields(row: models.Model, prefix: str) -> None:
    """What the database has no room for is refused before anything is written."""
    try:
        row.clean_fields(exclude=("dashboard", "owner"))
    except ValidationError as error:
        refused = as_invalid(error, row)
        raise InvalidInput(prefix + refused.field, refused.value, refused.expected) from error


# -- text ------------------------------------------------------------------------------------------------------------


def _decoded(raw: bytes, source: str) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(source, raw[:20], "write it in UTF-8") from error


def _is_json(text: str, source: str) -> bool:
    name = source.lower()
    return name.endswith(".json") or (not name.endswith((".yaml", ".yml")) and text.lstrip()[:1] in ("{", "["))


def _parsed(parse: Callable[[str, str], list[Any]], text: str, source: str) -> list[Any]:
    """Dashboards, whether they came one by one or in lists."""
    try:
        given = [wire.checked(source, one) for one in parse(text, source)]
    except RecursionError:
        raise InvalidInput(source, text[:20], "it nests too deeply") from None
    found = [one for some in given for one in (some if isinstance(some, list) else [some])]
    if not found:
        raise InvalidInput(source, text[:20], "there is no dashboard in it")
    return found


def _read_json(text: str, source: str) -> list[Any]:
    try:
        return [json.loads(text, object_pairs_hook=_once)]
    except InvalidInput as error:
        raise InvalidInput(f"{source}, {error.field}", error.value, error.expected) from None
    except ValueError as error:
        raise InvalidInput(source, text[:20], f"write it in JSON ({error})") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise InvalidInput("key", next(name for name in names if names.count(name) > 1), "it is there twice")
    return found


def _read_yaml(text: str, source: str) -> list[Any]:
    found: list[Any] = _yaml(source).read(text, source)
    return found


def _yaml(source: str) -> Any:
    try:
        from . import yaml_documents
    except ImportError as error:
        raise InvalidInput(source, "YAML", WITHOUT_YAML) from error
    return yaml_documents
