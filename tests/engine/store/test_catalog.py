"""Names and their rows: first come, first served, up to the limits, and the same for whoever asks."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

from hailwhale_django.engine.pod import Pod
from hailwhale_django.engine.store import catalog as module
from hailwhale_django.engine.store.catalog import ABSENT, Catalog, Limits, child_path, table_and_name
from tests.engine.conftest import Pods


def catalog(pods: Pods, url: str, **limits: int) -> Catalog:
    return pods(url, **limits).store.catalog


def children(of: Catalog, table: str = "_", pk: str = "shop") -> dict[str, int]:
    (found,) = of.server.hold(of.listing(pk, [table]))
    return dict(zip(found.names, found.rows.tolist(), strict=True))


# --- rows


def test_paths_get_the_next_free_row(pods: Pods, any_redis_url: str) -> None:
    names = catalog(pods, any_redis_url)
    assert names.assign({"shop": ["_"]}) == {"shop": {"_": 0}}
    assert names.assign({"shop": ["country", "device", "_"]}) == {"shop": {"country": 1, "device": 2, "_": 0}}
    assert names.assign({"shop": ["country/US", "country/DE", "device/Mac"]}) == {
        "shop": {"country/US": 3, "country/DE": 4, "device/Mac": 5}
    }
    assert children(names) == {"country": 1, "device": 2}
    assert children(names, "country") == {"US": 3, "DE": 4}
    assert children(names, "nothing") == {}
    assert names.tables("shop") == {"_": 2, "country": 2, "device": 1}
    assert names.server.hold(names.sizing("shop", ["country", "_", "nothing"])) == [2, 2, 0]
    assert names.server.hold(names.finding("shop", ["country/DE", "country/FR", "_"])) == [4, None, 0]
    family, _ = names.server.hold(names.finding_family("shop", "country", ["_", "country", "x"]))
    assert (family.children.names, family.rows.tolist()) == (["US", "DE"], [3, 4, 0, 1, ABSENT])


def test_counters_do_not_know_one_another(pods: Pods, any_redis_url: str) -> None:
    names = catalog(pods, any_redis_url)
    given = names.assign({"a": ["_", "x"], "b": ["_", "y"], "a/b": ["_"]})
    assert given == {"a": {"_": 0, "x": 1}, "b": {"_": 0, "y": 1}, "a/b": {"_": 0}}
    assert [list(children(names, pk=pk)) for pk in ("a", "b", "a/b")] == [["x"], ["y"], []]


def test_what_was_assigned_is_remembered_and_can_be_forgotten(pods: Pods, redis_url: str) -> None:
    names = catalog(pods, redis_url)
    names.assign({"shop": ["_", "x"]})
    assert names.known("shop") == {"_": 0, "x": 1}
    assert names.known("other") == {}
    names.forget("shop")
    assert names.known("shop") == {}
    assert names.assign({"shop": ["x", "_"]}) == {"shop": {"x": 1, "_": 0}}


def test_a_process_does_not_remember_without_end(pods: Pods, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REMEMBERED_ROWS", 50)
    pod = pods(redis_url)
    for n in range(40):
        pod.count(f"counter{n}", {"country": "US"}, None, None)
    remembered = sum(len(pod.store.catalog.known(f"counter{n}")) for n in range(40))
    assert remembered <= 60
    assert pod.query("counter0", dimension="country", period="today").rows[0].cells[0].value == 1


@pytest.mark.parametrize("name", ["a b", "日本", "'\"", "50%25", "two%0Alines", "x" * 255, "(other)", "#1"])
def test_names_come_back_as_they_were(pods: Pods, any_redis_url: str, name: str) -> None:
    names = catalog(pods, any_redis_url)
    names.assign({"shop": ["_", name, "after"]})
    assert list(children(names)) == [name.replace("%25", "%").replace("%0A", "\n"), "after"]


def test_tables_and_names() -> None:
    assert table_and_name("_") == ("", "")
    assert table_and_name("country") == ("_", "country")
    assert table_and_name("country/US") == ("country", "US")
    assert table_and_name("/pks/7") == ("/pks", "7")
    for path in ("country", "country/US", "a/b/c", "/pks/7"):
        assert child_path(*table_and_name(path)) == path


# --- limits


def test_a_full_table_has_other(pods: Pods, any_redis_url: str) -> None:
    names = catalog(pods, any_redis_url, children=2)
    names.assign({"shop": ["_", "country"]})
    given = names.assign({"shop": [f"country/{name}" for name in ("US", "DE", "FR", "IT")]})["shop"]
    assert (given["country/US"], given["country/DE"]) == (2, 3)
    assert given["country/FR"] == given["country/IT"] == ~4
    assert children(names, "country") == {"US": 2, "DE": 3, "(other)": 4}
    # Those that have a place keep it, and no process remembers who has none.
    assert names.assign({"shop": ["country/US", "country/ES"]}) == {"shop": {"country/US": 2, "country/ES": ~4}}
    assert "country/FR" not in names.known("shop")
    # Other tables have their own room.
    assert names.assign({"shop": ["device"]}) == {"shop": {"device": 5}}
    assert names.assign({"shop": ["third"]})["shop"]["third"] < 0


def test_other_may_be_asked_for_by_name(pods: Pods, any_redis_url: str) -> None:
    names = catalog(pods, any_redis_url, children=1)
    assert names.assign({"shop": ["_", "(other)", "a", "b"]}) == {"shop": {"_": 0, "(other)": 1, "a": ~1, "b": ~1}}
    full = names.assign({"full": ["_", "a", "(other)", "b"]})
    assert full == {"full": {"_": 0, "a": 1, "(other)": 2, "b": ~2}}


def test_a_counter_has_so_many_rows_and_one_other_for_each_table(pods: Pods, any_redis_url: str) -> None:
    names = catalog(pods, any_redis_url, rows=3)
    names.assign({"shop": ["_", "country", "device"]})
    assert names.assign({"shop": ["country/US", "country/DE"]}) == {"shop": {"country/US": ~3, "country/DE": ~3}}
    assert names.assign({"shop": ["device/Mac", "other", "country/FR"]}) == {
        "shop": {"device/Mac": ~4, "other": ~5, "country/FR": ~3}
    }
    assert names.tables("shop") == {"_": 3, "country": 1, "device": 1}


def test_counters_are_listed_up_to_a_limit(pods: Pods, any_redis_url: str) -> None:
    names, other = (catalog(pods, any_redis_url, counters=3) for _ in range(2))
    assert names.list_counters(["b", "a"]) == set()
    assert other.list_counters(["a", "c", "d"]) == {"d"} or other.list_counters(["c"]) == {"c"}
    assert names.list_counters(["e"]) == {"e"}
    assert names.list_counters(["a", "b"]) == set()
    assert len(names.counters()) == 3
    assert names.counters()[:2] == ["a", "b"]


def test_counters_come_in_pages(pods: Pods, any_redis_url: str) -> None:
    names = catalog(pods, any_redis_url)
    names.list_counters([f"c{n}" for n in range(10)])
    assert names.counters(count=3) == ["c0", "c1", "c2"]
    assert names.counters(after="c2", count=3) == ["c3", "c4", "c5"]
    assert names.counters(after="c9") == []


# --- several at once


@pytest.mark.parametrize("limits", [{}, {"children": 40}, {"rows": 60}])
def test_two_that_race_agree(pods: Pods, any_redis_url: str, limits: dict[str, int]) -> None:
    """Each of 4 threads, a process to the server, asks for the same 100 names in an order of its own."""
    catalogs = [catalog(pods, any_redis_url, **limits) for _ in range(4)]
    catalogs[0].assign({"shop": ["_"]})
    answers: list[dict[str, int]] = [{} for _ in catalogs]
    start = threading.Barrier(len(catalogs))

    def ask(number: int) -> None:
        order = np.random.default_rng(number).permutation(100)
        start.wait()
        for at in range(0, 100, 5):
            paths = [f"n{n}" for n in order[at : at + 5]]
            answers[number] |= catalogs[number].assign({"shop": paths})["shop"]

    run(ask, len(catalogs))
    assert answers[0] == answers[1] == answers[2] == answers[3]
    placed = {path: row for path, row in answers[0].items() if row >= 0}
    assert len(set(placed.values())) == len(placed) == min(limits.get("children", 100), limits.get("rows", 101) - 1)
    listed = children(catalogs[0])
    other = listed.pop("(other)", None)
    assert listed == placed
    assert {~row for row in answers[0].values() if row < 0} == ({other} if other is not None else set())


def test_threads_of_one_process_count_everything_once(pods: Pods, any_redis_url: str) -> None:
    pod = pods(any_redis_url, children=20)
    everyone_counts([pod] * 4)
    assert figures(pod) == figures_expected()


def test_processes_count_everything_once(pods: Pods, any_redis_url: str) -> None:
    several = [pods(any_redis_url, children=20) for _ in range(4)]
    everyone_counts(several)
    assert figures(several[0]) == figures_expected()


def everyone_counts(several: list[Pod]) -> None:
    start = threading.Barrier(len(several))

    def count(number: int) -> None:
        start.wait()
        for n in range(40):
            pod = several[number]
            pod.count(["Product", str(n % 3)], {"country": f"c{n}"}, {"revenue": n}, None)
            pod.count_many([(["Product", "many"], {"country": f"c{m}"}, {"revenue": 1}) for m in range(n, n + 5)], None)

    run(count, len(several))


def figures(pod: Pod) -> tuple[Any, ...]:
    answer = pod.query("Product", dimension="country", metrics=["revenue", "hits"], period="today", limit=None)
    rows = [*answer.rows, *([answer.other] if answer.other else [])]
    totals = [cell.value for cell in answer.totals.cells]
    sums = [sum(row.cells[column].value for row in rows) for column in (0, 1)]
    children = {row.name: row.cells[0].value for row in pod.query("Product", counters=True, metrics="hits").rows}
    return totals, sums, len(answer.rows), children


def figures_expected() -> tuple[Any, ...]:
    totals = [4.0 * (780 + 200), 4.0 * (40 + 200)]
    return totals, totals, 20, {"0": 56.0, "1": 52.0, "2": 52.0, "many": 800.0}


def run(work: Any, threads: int) -> None:
    failures: list[BaseException] = []

    def guarded(number: int) -> None:
        try:
            work(number)
        except BaseException as error:
            failures.append(error)

    several = [threading.Thread(target=guarded, args=(number,)) for number in range(threads)]
    for thread in several:
        thread.start()
    for thread in several:
        thread.join()
    if failures:
        raise failures[0]


def test_limits_have_the_defaults_that_the_documents_say() -> None:
    assert Limits() == Limits(children=10_000, rows=100_000, metrics=100, counters=100_000)
