"""Counts in any `ModelAdmin`: columns of formulas in its change list, and a page of numbers for each object.

mixin        what a project's admin inherits from
counted      where the objects of a model are counted, and which objects names of counters are
columns      the columns, and how a value is written there
changelist   which page of which objects, in the order of a formula
ranking      what the store says: names in order, and the values of a page
stats        the address of an object's page of numbers, and what it begins with
"""

from __future__ import annotations

from .mixin import HailWhaleAdminMixin

__all__ = ["HailWhaleAdminMixin"]
