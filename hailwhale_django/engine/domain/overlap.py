"""How much of what two rows counted is the same: a matrix, from the signatures (`mh`) of a table's rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import sqrt
from typing import Any

from ..errors import InvalidInput
from ..simmer.minhash import MinHash, Signature, similarity
from .sketch import sketch_of

DEFAULT_ROWS = 10
MAX_ROWS = 100


@dataclass(frozen=True, slots=True)
class Overlap:
    """`matrix[i][j]` estimates of rows `names[i]` and `names[j]` what is in both, of what is in either: the Jaccard
    similarity, 1.0 of a row with itself. It is `None` where either row has nothing.

    `standard_error` is the largest that an estimate has: where half is in both.
    """

    names: list[str]
    matrix: list[list[float | None]]
    standard_error: float
    warnings: list[str] = field(default_factory=list)


def signature_of(metric: Any) -> MinHash:
    """The signature that a metric's name asks for. Raises `InvalidInput`."""
    sketch = sketch_of(metric) if isinstance(metric, str) else None
    if sketch is None or not isinstance(sketch.aggregation, MinHash):
        raise InvalidInput("metric", metric, "name a signature, e.g. mh:visitor")
    return sketch.aggregation


def similarities(signatures: Sequence[Signature | None]) -> list[list[float | None]]:
    """Of each with each; time grows with the square of their number."""
    matrix: list[list[float | None]] = [[None] * len(signatures) for _ in signatures]
    for row, left in enumerate(signatures):
        for column, right in enumerate(signatures[: row + 1]):
            if left is not None and right is not None:
                matrix[row][column] = matrix[column][row] = similarity(left, right)
    return matrix


def standard_error(signature: MinHash) -> float:
    """sqrt(J (1 - J) / N) at J = 1/2."""
    return 1 / sqrt(4 * signature.hashes)
