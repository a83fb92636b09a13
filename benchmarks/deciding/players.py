"""Who plays: the engine's policies, and the peers, each as it was set up."""

from __future__ import annotations

from importlib.util import find_spec

from benchmarks.deciding import libraries, peers
from benchmarks.deciding.play import Maker
from benchmarks.deciding.whale import engine
from hailwhale_django.engine.decide.policies.book import policy_of

OURS = "hailwhale thompson"

ENGINE: dict[str, Maker] = {
    OURS: engine(policy_of("thompson")),
    "hailwhale reasons": engine(policy_of("reasons")),
}
PLAIN: dict[str, Maker] = {
    "greedy": peers.Greedy,
    "epsilon-greedy 5%": peers.EpsilonGreedy,
    "UCB1, own variance": peers.UCB1,
    "Thompson, no context": peers.ContextFree,
    "LinUCB": peers.LinUCB,
    "LinTS": peers.LinTS,
}
MABWISER: dict[str, Maker] = {
    "MABWiser LinUCB": libraries.mabwiser("LinUCB"),
    "MABWiser LinTS": libraries.mabwiser("LinTS"),
}
VOWPAL_WABBIT: dict[str, Maker] = {
    "VW squarecb": libraries.SquareCB,
    "VW bag": libraries.Bag,
}


def players() -> dict[str, Maker]:
    """All whose libraries are there."""
    found = ENGINE | PLAIN
    if find_spec("mabwiser"):
        found |= MABWISER
    if find_spec("vowpalwabbit"):
        found |= VOWPAL_WABBIT
    return found
