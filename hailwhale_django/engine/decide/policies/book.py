"""The book of policies: which there are, by name."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from ...errors import InvalidInput
from ..evidence import Policy
from .epsilon import Epsilon
from .reasons import Reasons
from .split import Split
from .thompson import Thompson
from .ucb import UCB
from .winner import Winner

POLICIES: dict[str, type[Any]] = {one.name: one for one in (Thompson, Reasons, Epsilon, UCB, Split, Winner)}


def policy_of(name: str, **settings: Any) -> Policy:
    """The policy of this name with these settings. Raises `InvalidInput` for a name or a setting that is unknown."""
    if name not in POLICIES:
        raise InvalidInput("policy", name, f"use {', '.join(POLICIES)}")
    kind = POLICIES[name]
    known = [field.name for field in fields(kind)]
    for setting in settings:
        if setting not in known:
            raise InvalidInput("setting", setting, f"{name} has {', '.join(known) or 'no settings'}")
    try:
        policy: Policy = kind(**settings)
    except TypeError as error:
        raise InvalidInput("settings", settings, f"{name} needs {', '.join(known)}") from error
    return policy
