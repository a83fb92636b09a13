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
