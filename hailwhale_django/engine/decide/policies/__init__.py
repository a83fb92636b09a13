"""Policies: how to choose. One file each, one protocol (`evidence.Policy`); `book` knows them by name."""
