"""Rows that workers and others write to while somebody has their form open."""

from __future__ import annotations

from typing import Any


def save_shown(row: Any, form: Any, *others: str) -> None:
    """Write what the form shows, and these other fields: what was written to the rest meanwhile stays."""
    shown = [field.name for field in row._meta.concrete_fields if field.name in form.fields]
    row.save(update_fields=[*shown, *others])
