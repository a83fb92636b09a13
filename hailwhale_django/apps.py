from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class HailWhaleConfig(AppConfig):
    name = "hailwhale_django"
    label = "hailwhale_django"
    verbose_name = _("Hailwhale")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import checks  # noqa: F401  (registers the system checks)
