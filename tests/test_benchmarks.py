"""The benchmarks run, and their reports hold together. Nothing is timed here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("duckdb", reason="the benchmarks need duckdb: make bench installs it")

from benchmarks import __main__ as command
from benchmarks import servers
from benchmarks.effort import TINY
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
