"""Counting on model instances: each object is a child counter of its class."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from .engine.shapes import ByPath
from .whale import Whale


class HailWhaleModel(models.Model):
    """A model whose objects count: `product.count_now(metrics={"sales": 1})`.

    The counter of an object is `[ClassName, str(pk)]`, so all objects together are the counter `ClassName`, and
    `Whale.rank("Product", "revenue/visitors", counters=True)` ranks them. `hailwhale_attribute` names what identifies
    an object, `hailwhale_store` the configured store.
    """

    hailwhale_attribute: ClassVar[str] = "pk"
    hailwhale_store: ClassVar[str] = Whale.store

    class Meta:
        abstract = True

    @classmethod
    def hailwhale(cls) -> type[Whale]:
        """The whale that counts for this model."""
        return Whale.using(cls.hailwhale_store) if cls.hailwhale_store != Whale.store else Whale

    @property
    def hailwhale_pk(self) -> list[str]:
        """The counter of this object."""
        identity = getattr(self, self.hailwhale_attribute)
        if identity is None:
            raise ValueError(f"{type(self).__name__} has no {self.hailwhale_attribute} yet; save it before counting")
        return [type(self).__name__, str(identity)]

    def count_now(self, *args: Any, **kwargs: Any) -> None:
        """`Whale.count_now` on this object."""
        self.hailwhale().count_now(self.hailwhale_pk, *args, **kwargs)

    def update_count_to(self, *args: Any, **kwargs: Any) -> None:
        """`Whale.update_count_to` on this object."""
        self.hailwhale().update_count_to(self.hailwhale_pk, *args, **kwargs)

    def plotpoints(self, *args: Any, **kwargs: Any) -> ByPath:
        """`Whale.plotpoints` of this object."""
        return self.hailwhale().plotpoints(self.hailwhale_pk, *args, **kwargs)

    def totals(self, *args: Any, **kwargs: Any) -> dict[Any, ByPath]:
        """`Whale.totals` of this object."""
        return self.hailwhale().totals(self.hailwhale_pk, *args, **kwargs)

    def total(self, *args: Any, **kwargs: Any) -> float:
        """`Whale.total` of this object."""
        return self.hailwhale().total(self.hailwhale_pk, *args, **kwargs)

    def today(self, *args: Any, **kwargs: Any) -> float:
        """`Whale.today` of this object."""
        return self.hailwhale().today(self.hailwhale_pk, *args, **kwargs)

    def yesterday(self, *args: Any, **kwargs: Any) -> float:
        """`Whale.yesterday` of this object."""
        return self.hailwhale().yesterday(self.hailwhale_pk, *args, **kwargs)

    def rank(self, *args: Any, **kwargs: Any) -> ByPath:
        """`Whale.rank` within this object."""
        return self.hailwhale().rank(self.hailwhale_pk, *args, **kwargs)

    def count_decision(self, *args: Any, **kwargs: Any) -> None:
        """`Whale.count_decision` on this object: `product.count_decision({"language": "EN"}, {"revenue": 5})`."""
        self.hailwhale().count_decision(self.hailwhale_pk, *args, **kwargs)

    def decide(self, *args: Any, **kwargs: Any) -> Any:
        """`Whale.decide` for this object."""
        return self.hailwhale().decide(self.hailwhale_pk, *args, **kwargs)

    def reset_counts(self, *args: Any, **kwargs: Any) -> None:
        """`Whale.reset` of this object."""
        self.hailwhale().reset(self.hailwhale_pk, *args, **kwargs)

    # By related object: the dimension {RelatedClass: {related pk: dimensions}}.

    def count_now_related(
        self, relation: str, dimensions: Any = None, metrics: Any = None, at: Any = None, *, metric: Any = None
    ) -> None:
        """Count on this object by the object that `relation` names: `product.count_now_related("vendor")`."""
        self.count_now(self.related_dimension(relation, dimensions), metrics, at, metric=metric)

    def plotpoints_related(self, relation: str, *args: Any, **kwargs: Any) -> ByPath:
        """`plotpoints` of what was counted by `relation`."""
        return self.plotpoints(self.related_dimension(relation), *args, **kwargs)

    def totals_related(self, relation: str, *args: Any, **kwargs: Any) -> dict[Any, ByPath]:
        """`totals` of what was counted by `relation`."""
        return self.totals(self.related_dimension(relation), *args, **kwargs)

    def total_related(self, relation: str, metric: Any = None, **kwargs: Any) -> float:
        """`total` of what was counted by `relation`."""
        return self.total(metric, self.related_dimension(relation), **kwargs)

    def related_dimension(self, relation: str, dimensions: Any = None) -> dict[str, Any]:
        """`{"Vendor": {"7": dimensions}}`, or `{"Vendor": "7"}`."""
        related = getattr(self, relation)
        if related is None:
            raise ValueError(f"{self!r} has no {relation} to count by")
        identity = getattr(related, getattr(related, "hailwhale_attribute", "pk"))
        return {type(related).__name__: {str(identity): dimensions} if dimensions else str(identity)}
