"""The recipes that keys have, by number; most are known by how a key begins."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import InvalidInput
from .aggregation import Aggregation
from .arrays import NOBODY, Numbers, Words, distinct
from .blocks import Span, first_byte
from .recipe import MOST_CHARACTERS, parse

COLON = ord(":")


class Cookbook:
    """Aggregations, in the order in which keys first asked for them."""

    __slots__ = ("_numbers", "aggregations")

    def __init__(self) -> None:
        self.aggregations: list[Aggregation[Any]] = []
        self._numbers: dict[Aggregation[Any], int] = {}

    def keep(self, recipes: Numbers) -> Numbers:
        """Forget all others; the numbers that those kept have then."""
        kept = distinct(recipes)
        self.aggregations = [self.aggregations[recipe] for recipe in kept.tolist()]
        self._numbers = {aggregation: number for number, aggregation in enumerate(self.aggregations)}
        return np.searchsorted(kept, recipes)

    def all_of(self, recipes: Numbers) -> list[Aggregation[Any]]:
        """The aggregation of each."""
        if (recipes == recipes[0]).all():
            return [self.aggregations[int(recipes[0])]] * len(recipes)
        return [self.aggregations[recipe] for recipe in recipes.tolist()]

    def of(self, keys: Span, first_words: Words) -> Numbers:
        """The recipe of each key; `NOBODY` for what is no key. Most keys begin with one of few recipes and a colon."""
        colon = first_byte(first_words, COLON)
        usual = (colon != 0) & (keys.length <= MOST_CHARACTERS)
        prefixes = first_words & (colon - np.uint64(1))
        if keys.text.has_returns:
            usual[:] = False
        found = np.empty(len(keys), np.int64)
        for word in distinct(prefixes[usual]):
            found[prefixes == word] = self._of_prefix(word.tobytes())
        length = (np.bitwise_count(colon - np.uint64(1)) >> 3) + 1
        unusual = np.flatnonzero(~usual | (found == NOBODY) | (keys.length <= length))
        found[unusual] = [self.of_text(text) for text in keys[unusual].texts()]
        return found

    def _of_prefix(self, word: bytes) -> int:
        recipe = word.rstrip(b"\0")[:-1].decode("latin-1")
        return NOBODY if recipe.startswith(("top", "bot")) else self.of_text(f"{recipe}:x".encode())

    def of_text(self, key: bytes) -> int:
        try:
            recipe = parse(key.decode("utf-8", "surrogateescape"))
        except InvalidInput:
            return NOBODY
        if recipe.aggregation not in self._numbers:
            self._numbers[recipe.aggregation] = len(self.aggregations)
            self.aggregations.append(recipe.aggregation)
        return self._numbers[recipe.aggregation]
