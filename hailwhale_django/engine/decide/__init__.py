"""Deciding: which option is best, for whom, how sure that is, and why. Pure: no Redis, no clock, no chance."""
