"""The benchmarks run, and their reports hold together. Nothing is timed here."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("duckdb", reason="the benchmarks need duckdb: make bench installs it")

from benchmarks import __main__ as command
from benchmarks import open_bandit_policy as bandit
from benchmarks import servers
from benchmarks.effort import TINY
from benchmarks.open_bandit_log import Impressions
from benchmarks.report import Column, Result, Table, Target, write


@pytest.mark.django_db  # a request, as Django answers it, looks after the connections that other tests have left
@pytest.mark.parametrize("name", command.BENCHMARKS)
def test_each_runs(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "SETTLED_SECONDS", 0.0)
    result = command.BENCHMARKS[name](TINY)
    assert result.tables
    for table in result.tables:
        assert table.rows
        assert all(len(row) == len(table.columns) for row in table.rows)
        assert table.title in str(result)
    json.dumps(result.to_wire(), allow_nan=False)


def fond_visitors(rng: np.random.Generator, rows: int = 3000) -> Impressions:
    """One in five likes an item of ten, and clicks on that; all click on the last item more often than on others."""
    item, likes = rng.integers(0, 10, (2, rows))
    liked = (np.arange(10) == likes[:, None]) & (rng.random(rows) < 0.2)[:, None]
    click = rng.random(rows) < np.where(liked[np.arange(rows), item], 0.6, np.where(item == 9, 0.2, 0.05))
    user = np.array([["a", "b"]]).repeat(rows, axis=0)
    return Impressions(10, item, rng.integers(0, 3, rows), np.full(rows, 0.1), click.astype(float), user, liked)


@pytest.mark.parametrize("outlook", [bandit.NOTHING, bandit.EVERYTHING])
def test_policies_learn_from_a_uniform_log(outlook: bandit.Outlook) -> None:
    log = fond_visitors(np.random.default_rng(1))
    [kinds] = bandit.kinds_by(bandit.Rates(), outlook, [log])
    assert kinds.chances.sum(axis=1) == pytest.approx(1)
    assert kinds.chances[log.liked].min() > 0.95
    assert kinds.chances[~log.liked.any(axis=1)] == pytest.approx(0.1)
    [items] = bandit.items_by(bandit.Rates(), outlook, [log])
    assert items.chances[:, 9].min() > 0.9
    assert items.expected[:, 9] == pytest.approx(0.2, abs=0.05)


def test_what_is_done_in_a_part_was_not_learnt_from_it() -> None:
    """Whatever the fifth that comes first did, the same is done in it."""
    log = fond_visitors(np.random.default_rng(2))
    first = np.arange(len(log)) % bandit.PARTS == 0
    log.click[first] = 1 - log.click[first]
    [turned] = bandit.items_by(bandit.Rates(), bandit.NOTHING, [log])
    log.click[first] = 1 - log.click[first]
    [told] = bandit.items_by(bandit.Rates(), bandit.NOTHING, [log])
    assert (turned.chances[first] == told.chances[first]).all()
    assert (turned.chances[~first] != told.chances[~first]).any()


def test_an_unknown_name_is_refused_with_those_that_are_known(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["speed"])
    assert "'speed'; use ratio_table, plot" in capsys.readouterr().err


def test_numbers_are_aligned_and_missing_ones_are_blank() -> None:
    table = Table("Whales", [Column("who"), Column("tonnes", ",.1f")], [["blue", 1500], ["minke", None]], ["wet"])
    assert str(table).splitlines() == [
        "Whales",
        "who     tonnes",
        "--------------",
        "blue   1,500.0",
        "minke",
        "  wet",
    ]


def test_a_target_is_met_from_either_side() -> None:
    assert Target("speed", 2.0, 2).is_met
    assert not Target("speed", 1.9, 2).is_met
    assert Target("bytes", 0.2, 0.25, at_most=True).is_met
    assert not Target("bytes", 0.3, 0.25, at_most=True).is_met


def test_results_are_written_with_four_digits(tmp_path: Path) -> None:
    result = Result([Table("Whales", [Column("tonnes")], [[1.23456]])], [Target("tonnes", 1.23456, 1)])
    write(tmp_path / "new" / "latest.json", {"python": "3.11"}, {"whales": result})
    assert json.loads((tmp_path / "new" / "latest.json").read_text()) == {
        "run": {"python": "3.11"},
        "whales": {
            "targets": [{"what": "tonnes", "found": 1.235, "at least": 1, "met": True}],
            "tables": [{"title": "Whales", "rows": [{"tonnes": 1.235}], "notes": []}],
        },
    }
