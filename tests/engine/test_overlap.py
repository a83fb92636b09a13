"""How much of two rows is the same: near to the true Jaccard similarity of sets that are written down here."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest

from hailwhale_django.engine.domain.sketchbook import Sketchbook
from hailwhale_django.engine.errors import InvalidInput, TooLarge
from hailwhale_django.engine.pod import Pod
from tests.engine.conftest import NOW, Pods

DAY = 86_400
STANDARD_ERROR = 0.0625

VISITORS = {
    "US": range(0, 300),
    "CA": range(150, 300),
    "GB": range(100, 400),
    "DE": range(1000, 1100),
    "AT": range(1000, 1100),
}


@pytest.fixture
def shop(any_pod: Pod) -> Pod:
    """Each visitor comes once, half of them today and half yesterday. FR has hits and no visitor."""
    any_pod.count_many(
        [
            ("shop", {"country": country}, {"mh:visitor": f"u{one}"}, NOW.timestamp() - one % 2 * DAY)
            for country, visitors in VISITORS.items()
            for one in visitors
        ],
        None,
    )
    any_pod.count("shop", {"country": "FR"}, {"hits": 1}, None)
    return any_pod


def jaccard(left: str, right: str) -> float:
    one, other = set(VISITORS[left]), set(VISITORS[right])
    return len(one & other) / len(one | other)


def test_estimates_are_near_to_the_truth(shop: Pod) -> None:
    found = shop.overlap("shop", "mh:visitor", "country", period="2d")
    assert found.names == ["GB", "US", "CA", "AT", "DE", "FR"]  # by hits, then by name
    assert found.standard_error == STANDARD_ERROR
    assert found.warnings == []
    for row, column in combinations(range(5), 2):
        estimate = found.matrix[row][column]
        assert estimate is not None and estimate == found.matrix[column][row]
        assert abs(estimate - jaccard(found.names[row], found.names[column])) <= 3 * STANDARD_ERROR
    assert found.matrix[3][4] == 1.0  # the very same visitors
    assert [found.matrix[row][row] for row in range(5)] == [1.0] * 5


def test_of_nothing_there_is_no_telling(shop: Pod) -> None:
    found = shop.overlap("shop", "mh:visitor", "country", period="2d")
    assert found.matrix[5] == [None] * 6
    assert [row[5] for row in found.matrix] == [None] * 6


def test_rows_that_are_named(shop: Pod) -> None:
    found = shop.overlap("shop", "mh:visitor", "country", ["DE", "nowhere", "AT", "DE"], period="2d")
    assert found.names == ["DE", "nowhere", "AT"]
    assert found.matrix == [[1.0, None, 1.0], [None, None, None], [1.0, None, 1.0]]
    assert shop.overlap("shop", "mh:visitor", "country", "DE", period="2d").matrix == [[1.0]]


def test_the_first_by_their_hits(shop: Pod) -> None:
    assert shop.overlap("shop", "mh:visitor", "country", limit=2, period="2d").names == ["GB", "US"]


def test_a_period_is_the_union_of_its_days(shop: Pod) -> None:
    # On each day half of US and half of CA come, so their share is the same; over both days it is no larger.
    for period in ("today", "yesterday", "2d"):
        (_, estimate), _ = shop.overlap("shop", "mh:visitor", "country", ["US", "CA"], period=period).matrix
        assert estimate is not None and abs(estimate - 0.5) <= 3 * STANDARD_ERROR


def test_of_child_counters(any_pod: Pod) -> None:
    for name in "ab":
        any_pod.count(["Product", name], None, {"mh:visitor": ["x", "y"]}, None)
    found = any_pod.overlap("Product", "mh:visitor", counters=True)
    assert (found.names, found.matrix) == (["a", "b"], [[1.0, 1.0], [1.0, 1.0]])


def test_more_hashes_err_less(any_pod: Pod) -> None:
    any_pod.count("shop", "a", {"mh256:visitor": "x"}, None)
    assert any_pod.overlap("shop", "mh256:visitor").standard_error == 0.03125


def test_of_nothing_at_all(any_pod: Pod) -> None:
    found = any_pod.overlap("nobody", "mh:visitor", "country")
    assert (found.names, found.matrix) == ([], [])


def test_it_is_told_where_a_signature_is_not_kept(pods: Pods, redis_url: str) -> None:
    pod = pods(redis_url, sketchbook=Sketchbook.parse({"mh:*": {"dimensions": ["country"]}}))
    pod.count("shop", {"page": "/a"}, {"mh:visitor": "u1"}, None)
    found = pod.overlap("shop", "mh:visitor", "page")
    assert found.matrix == [[None]]
    assert found.warnings == ["mh:visitor is not kept of page: see the setting SKETCHES"]


@pytest.mark.parametrize(
    ("asked", "error", "message"),
    [
        ({"metric": "uv:visitor"}, InvalidInput, "mh:visitor"),
        ({"metric": "fh:visitor"}, InvalidInput, "mh:visitor"),
        ({"metric": "revenue"}, InvalidInput, "mh:visitor"),
        ({"metric": None}, InvalidInput, "mh:visitor"),
        ({"metric": ["mh:visitor"]}, InvalidInput, "mh:visitor"),
        ({"metric": "mh0:visitor"}, InvalidInput, "from 1 to 1,024"),
        ({"limit": 0}, InvalidInput, "from 1 to 100"),
        ({"limit": 101}, InvalidInput, "from 1 to 100"),
        ({"names": [1]}, InvalidInput, "names of rows"),
        ({"names": {"US": "CA"}}, InvalidInput, "names of rows"),
        ({"names": [str(one) for one in range(101)]}, TooLarge, "at most 100"),
        ({"counters": True, "dimension": "country"}, InvalidInput, "one level"),
    ],
)
def test_what_cannot_be_asked(pod: Pod, asked: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        pod.overlap("shop", **{"metric": "mh:visitor", **asked})
