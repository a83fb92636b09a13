"""Who is asked: the engine and its peers."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from benchmarks.explaining import adtributor, largest
from benchmarks.explaining.score import Answerer

OURS = "hailwhale"
WHALE = "benchmarks.explaining.whale"
"""The module of ours."""

PEERS: dict[str, Answerer] = {
    "Adtributor": adtributor.answer,
    "largest delta": largest.answer,
}


def answerers() -> dict[str, Answerer]:
    """All that are there."""
    return ({OURS: import_module(WHALE).answer} if find_spec(WHALE) else {}) | PEERS
