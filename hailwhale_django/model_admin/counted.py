"""Where the objects of a model are counted, and which objects the names of child counters are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import Field, IntegerField, Model, QuerySet

from .. import connection
from ..engine.domain.paths import Path
from ..engine.pod import Pod


@dataclass(frozen=True, slots=True)
class Counted:
    """Each object of `model` is the child counter of `parent` that its `attribute` names."""

    model: type[Model]
    parent: Path
    attribute: str
    store: str

    @property
    def pod(self) -> Pod:
        return connection.pod(self.store)

    @property
    def can_be_ranked(self) -> bool:
        """Whether the database knows what identifies an object, and so can look up whom a ranking names."""
        return self._field is not None

    def name(self, obj: Model) -> str:
        return str(getattr(obj, self.attribute))

    def counter(self, obj: Model) -> list[str]:
        return [*self.parent, self.name(obj)]

    def pks(self, objects: QuerySet[Any]) -> dict[Any, str]:
        """The primary keys of these objects in their order, each with its counter's name. One query."""
        if self.attribute == "pk":
            return {pk: str(pk) for pk in objects.values_list("pk", flat=True)}
        return {pk: str(value) for pk, value in objects.values_list("pk", self.attribute)}

    def named(self, objects: QuerySet[Any], names: Iterable[str]) -> list[Any]:
        """The primary keys of those of these objects that have these names, in the order of the names. One query."""
        values = {name: value for name in names if (value := self._value(name)) is not None}
        found = objects.order_by().filter(**{f"{self.attribute}__in": list(values.values())})
        by_name = {name: pk for pk, name in self.pks(found).items()}
        return [by_name[name] for name in values if name in by_name]

    def _value(self, name: str) -> Any:
        """What the database knows an object of this name by; `None` where there can be none.

        Anybody who may count can make up names; few of them are numbers that a database has room for.
        """
        field = self._field
        if field is None or "\0" in name:
            return None
        try:
            value = field.to_python(name)
            if isinstance(field, IntegerField):
                field.run_validators(value)
        except ValidationError:
            return None
        return value

    @property
    def _field(self) -> Field[Any, Any] | None:
        """The column that identifies an object: of a key that is another model's key, that model's."""
        meta = self.model._meta
        try:
            field = meta.pk if self.attribute == "pk" else meta.get_field(self.attribute)
        except FieldDoesNotExist:
            return None
        while field is not None and field.is_relation and self.attribute == "pk":
            field = field.target_field
        return field if isinstance(field, Field) and not field.is_relation else None
