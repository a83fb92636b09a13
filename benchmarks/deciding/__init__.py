"""Deciding, simulated: worlds whose truth is known, and who finds it soonest."""

from benchmarks.deciding.table import run

__all__ = ["run"]
