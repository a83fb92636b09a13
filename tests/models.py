"""Models that count, for the tests alone. Only those from `Ware` on have tables."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models

from hailwhale_django import HailWhaleModel


class Vendor(HailWhaleModel):
    hailwhale_attribute: ClassVar[str] = "code"

    code = models.CharField(max_length=20)

    class Meta:
        managed = False

    def __str__(self) -> str:
        return self.code


class Product(HailWhaleModel):
    vendor = models.ForeignKey(Vendor, models.CASCADE, null=True)
    maker = models.ForeignKey("auth.User", models.CASCADE, null=True)

    class Meta:
        managed = False

    def __str__(self) -> str:
        return f"product {self.pk}"


class Elsewhere(HailWhaleModel):
    hailwhale_store: ClassVar[str] = "other"

    class Meta:
        managed = False

    def __str__(self) -> str:
        return f"elsewhere {self.pk}"


class Ware(HailWhaleModel):
    name = models.CharField(max_length=100)
    price = models.IntegerField(default=0)
    kind = models.CharField(max_length=20, blank=True)
    made = models.DateField(null=True)

    def __str__(self) -> str:
        return self.name


class Crate(models.Model):
    """One that knows nothing of counting, and has a key of its own."""

    code = models.CharField(max_length=20, unique=True)

    def __str__(self) -> str:
        return self.code


class Lot(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)

    def __str__(self) -> str:
        return str(self.id)


class BoxedWare(Ware):
    """Its key is that of another model's object."""
