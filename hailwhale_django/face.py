"""What `Whale` and `Hail` have in common: each speaks for one store, and `using` gives one that speaks for another."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from . import connection
from .conf import DEFAULT_STORE, get_settings
from .engine.pod import Pod


class Face:
    """A public face of one store, of class methods only."""

    store: ClassVar[str] = DEFAULT_STORE
    _others: ClassVar[dict[tuple[type[Face], str], Any]] = {}

    @classmethod
    def using(cls, store: str) -> type[Self]:
        """The same for another configured store, `HAILWHALE["STORES"][store]`."""
        key = (cls, store)
        if key not in cls._others:
            get_settings(store)
            cls._others[key] = type(cls.__name__, (cls,), {"store": store, "__doc__": cls.__doc__})
        found: type[Self] = cls._others[key]
        return found

    @classmethod
    def pod(cls) -> Pod:
        """The engine behind this, for what has no short-cut here."""
        return connection.pod(cls.store)
