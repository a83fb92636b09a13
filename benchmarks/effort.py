"""How much is measured: all of it, a tenth to try things out, or just enough to see that a benchmark runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Effort:
    """`scale` is a share of the full size; a contestant stops after so many `rounds` or `seconds`."""

    scale: float
    rounds: int
    seconds: float

    def size(self, full: int, least: int = 1) -> int:
        """A size that is `full` in a full run."""
        return max(least, round(full * self.scale))

    def sizes(self, *full: int) -> list[int]:
        """Sizes that are `full` in a full run, each once."""
        return list(dict.fromkeys(self.size(one, least=5) for one in full))


FULL = Effort(scale=1.0, rounds=100, seconds=6.0)
QUICK = Effort(scale=0.1, rounds=20, seconds=1.0)
TINY = Effort(scale=0.001, rounds=1, seconds=0.0)
