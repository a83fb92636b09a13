"""Deciding, simulated: worlds whose truth is known, and who finds it soonest."""
