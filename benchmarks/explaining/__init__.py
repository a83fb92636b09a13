"""Explaining, simulated: worlds with planted causes of a change, and who names them."""

from benchmarks.explaining.table import run

__all__ = ["run"]
