"""Explaining: what made a number move. Pure: what was counted comes in, causes and parts come out."""
