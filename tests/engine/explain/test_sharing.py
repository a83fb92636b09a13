"""How much of one region is in another, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from hailwhale_django.engine.domain.paths import Path
from hailwhale_django.engine.domain.values import Floats
from hailwhale_django.engine.explain.region import Key, Region
from hailwhale_django.engine.explain.sharing import Shared, shared

AMOUNTS = {
    "_": 200,
    "country/US": 100,
    "country/US/CA": 40,
    "country/DE": 60,
    "device/mobile": 50,
    "country/US/×device/mobile": 30,
    "source/mail": 20,
}


def region(path: str) -> Region:
    return Region(Path.parse(path))


def amount(key: Key) -> Floats | None:
    """Of two metrics; nobody bought by mail."""
    found = {
        region(path).key: np.array([value, 0 if path == "source/mail" else 1.0]) for path, value in AMOUNTS.items()
    }
    return np.array(found[key], dtype=np.float64) if key in found else None


def of(path: str, *others: str) -> Shared:
    return shared([[region(one)] for one in (path, *others)], 0, amount)


@pytest.mark.parametrize(
    ("path", "other", "share"),
    [
        ("country/US", "country/US", 1),
        ("country/US/CA", "country/US", 1),
        ("country/US", "country/US/CA", 0.4),
        ("country/US", "country/DE", 0),
        ("country/US", "device/mobile", 0.3),
        ("device/mobile", "country/US", 0.6),
        ("country/US", "country/US/×device/mobile", 0.3),
        ("device/mobile/×country/US", "country/US", 1),
    ],
)
def test_what_follows_from_paths_or_was_counted(path: str, other: str, share: float) -> None:
    found = of(path, other)
    assert found.share[0, 1] == pytest.approx(share)
    assert found.is_known.tolist() == [True, True]
    assert found.is_within.tolist() == [False, False]


def test_what_was_not_counted_is_as_much_as_of_all() -> None:
    """Mail has a tenth of all, so of the US; mobile a quarter, so of mail."""
    found = of("country/US", "source/mail")
    assert found.share[0, 1] == pytest.approx(0.1)
    assert found.is_known.tolist() == [True, False]
    assert found.is_within.tolist() == [False, False]
    assert of("source/mail", "device/mobile").share[:, 1].tolist() == pytest.approx([0.25, 1])


def test_or_as_much_as_of_what_both_are_of() -> None:
    """Of the 100 of the US 30 are mobile, so of the 40 of California."""
    found = of("country/US/CA", "country/US/×device/mobile")
    assert found.share[0, 1] == pytest.approx(0.3)
    assert found.is_known.tolist() == [True, False]
    assert found.is_within.tolist() == [False, True]


def test_of_nothing_there_is_no_share() -> None:
    assert of("source/mail", "country/US").share[1].tolist() == pytest.approx([0, 1])
    assert of("source/mail", "source/mail").share[1].tolist() == [0, 0]
