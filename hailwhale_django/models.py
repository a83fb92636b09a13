"""What Django's database knows of hailwhale: a name to hang permissions and admin pages on. Counts live in Redis."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Counter(models.Model):
    """A counter, as permissions and the admin see it. It has no table.

    `view_counter` reads, `add_counter` counts, `change_counter` sets buckets, `delete_counter` resets.
    """

    class Meta:
        managed = False
        verbose_name = _("counter")
        verbose_name_plural = _("counters")

    def __str__(self) -> str:
        return str(self._meta.verbose_name)


class Health(Counter):
    """How hailwhale is, as permissions and the admin see it."""

    class Meta:
        proxy = True
        default_permissions = ("view",)
        verbose_name = verbose_name_plural = _("health")


class Live(Counter):
    """Events as they arrive, and what was logged of visitors."""

    class Meta:
        proxy = True
        default_permissions = ("view",)
        verbose_name = verbose_name_plural = _("live")


class DeadLetter(Counter):
    """Events that cannot be counted. `change_deadletter` counts them again, `delete_deadletter` discards them."""

    class Meta:
        proxy = True
        default_permissions = ("view", "change", "delete")
        verbose_name = _("dead letter")
        verbose_name_plural = _("dead letters")
