"""The worlds in which explanations are compared, the peers that are asked, and how they are scored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from benchmarks.explaining import adtributor, alarm, largest
from benchmarks.explaining.generator import KINDS, WITHOUT, world
from benchmarks.explaining.score import Score, precision, recall, score
from benchmarks.explaining.world import METRICS, Cause, World, distinct

SEED = 3


@pytest.fixture(params=KINDS, scope="module")
def drawn(request: pytest.FixtureRequest) -> World:
    return world(request.param, SEED)


def test_a_seed_has_one_world(drawn: World) -> None:
    again = world(drawn.kind, SEED)
    assert (again.formula, again.days, again.causes) == (drawn.formula, drawn.days, drawn.causes)
    assert list(again.cells) == list(drawn.cells)
    assert all(np.array_equal(again.cells[path], cells) for path, cells in drawn.cells.items())
    assert not np.array_equal(world(drawn.kind, SEED + 1).cells["_"][:, :7], drawn.cells["_"][:, :7])


def test_the_parts_of_a_table_sum_to_the_whole(drawn: World) -> None:
    assert drawn.children("_") == ["country", "device", "browser", "source", "plan", "page"]
    for table in drawn.tables:
        rows = [drawn.cells[row] for row in drawn.children(table)]
        times = len(rows) if table == "_" else 1
        assert np.sum(rows, axis=0) == pytest.approx(times * drawn.cells[table])


def test_counts_are_what_can_be_counted(drawn: World) -> None:
    visits, orders, revenue = drawn.cells["_"]
    assert drawn.cells["_"].shape == (len(METRICS), drawn.days * (drawn.past + 2))
    assert np.array_equal(visits, np.round(visits)) and np.array_equal(orders, np.round(orders))
    assert all((cells >= 0).all() and (cells[1] <= cells[0]).all() for cells in drawn.cells.values())
    assert ((revenue > 0) == (orders > 0)).all()


def test_crossed_tables_agree_with_their_mirrors(drawn: World) -> None:
    crossed = drawn.children("country/US/×device")
    assert crossed and all(path.startswith("country/US/×device/") for path in crossed)
    assert not any("×" in path for path in drawn.children("country/US"))
    for path in crossed:
        assert np.array_equal(drawn.cells[path], drawn.cells[f"{path.partition('×')[2]}/×country/US"])


def test_causes_are_paths_that_were_counted(drawn: World) -> None:
    assert bool(drawn.causes) == (drawn.kind not in WITHOUT)
    for cause in drawn.causes:
        assert cause.path in cause.accepted <= set(drawn.cells)
        if drawn.kind == "nested":
            assert cause.path.count("/") == 2
        if drawn.kind == "crossed":
            assert len(cause.accepted) >= 2 and "/×" in cause.path
        if drawn.kind not in ("new", "vanished"):
            now = drawn.cells[cause.path][0, -drawn.days :].sum()
            assert all(
                drawn.cells[path][0, -drawn.days :].sum() == pytest.approx(now, rel=0.3) for path in cause.accepted
            )


@pytest.mark.parametrize(("kind", "there"), [("new", slice(-1, None)), ("vanished", slice(-1))])
def test_children_come_and_go(kind: str, there: slice) -> None:
    drawn = world(kind, SEED)
    visits = drawn.totals[drawn.causes[0].path][0]
    assert ((visits > 0) == (np.isin(np.arange(8), np.arange(8)[there]))).all()


def by_hand(formula: str, amounts: Mapping[str, Sequence[Sequence[float]]], causes: Sequence[Cause] = ()) -> World:
    """Periods of one day with these amounts of each term, of which all but the last two are alike."""
    terms = tuple(formula.split("/"))
    cells = {
        path: np.array([[was] * 7 + [now] for was, now in some], dtype=np.float64) for path, some in amounts.items()
    }
    return World("by hand", formula, terms, 1, 6, cells, tuple(causes))


REVENUE = by_hand(
    "revenue",
    {
        "_": [(100, 50)],
        "center": [(100, 50)],
        "center/X": [(94, 47)],
        "center/Y": [(6, 3)],
        "device": [(100, 50)],
        "device/desktop": [(50, 49)],
        "device/mobile": [(25, 1)],
        "device/tablet": [(25, 0)],
    },
)
"""The revenue of the paper's running example, which halves."""


def test_explanatory_power_and_surprise_of_a_sum() -> None:
    was, now = np.array([[50.0], [25.0], [25.0]]), np.array([[49.0], [1.0], [0.0]])
    whole = np.array([100.0]), np.array([50.0])
    assert adtributor.powers(was, now, *whole) == pytest.approx([0.02, 0.48, 0.5])
    # Shares of 0.5, 0.25 and 0.25 become 0.98, 0.02 and 0. Half of: 0.5 log2(1/1.48) + 0.98 log2(1.96/1.48), which is
    # 0.5 x -0.565597 + 0.98 x 0.405257; 0.25 x 0.888969 + 0.02 x -2.754888; and 0.25 x log2(2).
    found = adtributor.surprises(was[:, 0] / 100, now[:, 0] / 50)
    assert found == pytest.approx([0.057177, 0.083572, 0.125], abs=1e-6)


def test_adtributor_blames_the_devices() -> None:
    """As the paper does: the data center explains 94% in one element, but nothing about it is surprising."""
    surprise, paths = adtributor.candidate(REVENUE, "device") or (0.0, [])
    assert paths == ["device/tablet", "device/mobile"]
    assert surprise == pytest.approx(0.083572 + 0.125, abs=1e-6)
    assert adtributor.candidate(REVENUE, "center") == (0.0, ["center/X"])
    assert adtributor.answer(REVENUE) == ["device/tablet", "device/mobile", "center/X"]


def test_what_a_ratio_s_elements_explain_and_carry() -> None:
    """From 20/200 to 14/400: a grew at no orders, b lost orders at the same visits."""
    was, now = np.array([[10.0, 100.0], [10.0, 100.0]]), np.array([[10.0, 300.0], [4.0, 100.0]])
    whole = np.array([20.0, 200.0]), np.array([14.0, 400.0])
    # (0 x 200 - 200 x 20) / (200 x 400) = -0.05 and (-6 x 200 - 0) / (200 x 200) = -0.03
    assert adtributor.powers(was, now, *whole) == pytest.approx([0.05 / 0.08, 0.03 / 0.08])
    # Of a table that holds only the first, the rest of the whole is the second.
    assert adtributor.powers(was[:1], now[:1], *whole) == pytest.approx([0.05 / 0.08])
    amounts = {"_": [(20, 14), (200, 400)], "d": [(20, 14), (200, 400)]}
    drawn = by_hand("orders/visits", {**amounts, "d/a": [(10, 10), (100, 300)], "d/b": [(10, 4), (100, 100)]})
    # The mean ratio is 0.0675: 10/400 - 10/200 - 0.0675 x (3/4 - 1/2), and 4/400 - 10/200 + 0.0675 x (1/2 - 1/4).
    assert largest.carried(drawn, ["d/a", "d/b"]) == pytest.approx([-0.041875, -0.023125])
    assert largest.answer(drawn) == ["d/a", "d/b"]


def test_peers_say_nothing_while_the_whole_moves_as_usual() -> None:
    # Moves of 3, -3, 3, -3, 3, -3 have a deviation of sqrt(10.8) = 3.29, twice of which is 6.57.
    for moved, is_raised in ((6, False), (7, True), (-7, True)):
        cells = {path: np.array([[10.0, 13, 10, 13, 10, 13, 10, 10 + moved]]) for path in ("_", "d", "d/a")}
        drawn = World("by hand", "visits", ("visits",), 1, 6, cells, ())
        assert alarm.is_raised(drawn) == is_raised
        assert largest.answer(drawn) == (["d/a"] if is_raised else [])


def test_scores() -> None:
    causes = [Cause("d/a", frozenset({"d/a"})), Cause("d/b/×e/c", frozenset({"d/b/×e/c", "e/c/×d/b"}))]
    drawn = by_hand("visits", {"_": [(1, 1)]}, causes)
    assert score(drawn, ["e/c/×d/b", "d/x"]) == Score(causes=2, named=1, answers=2, right=1)
    assert score(drawn, ["d", "d/b", "d/x", "d/a"]) == Score(causes=2, named=0, answers=3, right=0)
    assert score(drawn, []) == Score(causes=2, named=0, answers=0, right=0)
    assert recall([Score(2, 1, 2, 1), Score(1, 1, 3, 1), Score(1, 0, 0, 0)]) == pytest.approx(0.5)
    assert precision([Score(2, 1, 2, 1), Score(1, 1, 3, 1), Score(1, 0, 0, 0)]) == pytest.approx((1 / 2 + 1 / 3) / 2)
    assert precision([Score(1, 0, 0, 0)]) is None


def test_a_crossed_path_and_its_mirror_are_one_answer() -> None:
    assert distinct(["d/b/×e/c", "d/a", "e/c/×d/b", "d/a"]) == ["d/b/×e/c", "d/a"]
