"""Count what happened by every dimension at every interval, exactly, in Redis.

`from hailwhale_django import Hail, Whale` needs no settings and opens no connection; the first call does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .hail import Hail
    from .mixins import HailWhaleModel
    from .model_admin import HailWhaleAdminMixin
    from .whale import Whale

__version__ = "0.1.0"

__all__ = ["Hail", "HailWhaleAdminMixin", "HailWhaleModel", "Whale", "__version__"]

_HOMES = {"Hail": "hail", "Whale": "whale", "HailWhaleModel": "mixins", "HailWhaleAdminMixin": "model_admin"}


def __getattr__(name: str) -> Any:
    """Public names, resolved when first asked for: mixins cannot be imported before the apps are ready."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
