"""Dead letters: written once, kept as they were, and never so many that they fill the server."""

from __future__ import annotations

import pytest

from hailwhale_django.engine.pod import Pod
from hailwhale_django.engine.store import dead as module
from hailwhale_django.engine.store.dead import DeadLetters, Letter
from hailwhale_django.engine.store.log import position

FIRST, SECOND = position("1-1"), position("1-1", 1)
LETTERS = [
    Letter(0, FIRST, "", b"\xff\x00\n\tgarbage", "it is no event"),
    Letter(0, FIRST, "a b/c%2F", b"line", "it overflows", ("x y",)),
    Letter(0, FIRST, "a b/c%2F", b"line", "it overflows", ("z",)),
    Letter(0, SECOND, "shop", b"line", "日本\udc80", ("x",)),
]


@pytest.fixture
def letters(any_pod: Pod) -> DeadLetters:
    return any_pod.drain.dead


def test_letters_are_kept_as_they_are_and_once(letters: DeadLetters) -> None:
    letters.add(LETTERS[2:])
    letters.add(LETTERS)
    assert letters.letters(0) == LETTERS
    assert letters.count(0) == 4
    assert letters.letters(1) == []


def test_letters_of_several_streams_are_apart(letters: DeadLetters) -> None:
    moved = [letter._replace(stream=number) for number, letter in enumerate(LETTERS)]
    letters.add(moved)
    assert [letters.letters(stream) for stream in range(4)] == [[letter] for letter in moved]


def test_letters_can_be_removed_one_by_one(letters: DeadLetters) -> None:
    letters.add(LETTERS)
    letters.remove([LETTERS[1], LETTERS[3]])
    assert letters.letters(0) == [LETTERS[0], LETTERS[2]]
    letters.remove([])


def test_of_letters_that_find_no_room_only_the_number_is_kept(
    any_pod: Pod, letters: DeadLetters, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_LETTERS", 3)
    for _ in range(2):
        letters.add(LETTERS[:3])
    letters.add(LETTERS)
    assert letters.letters(0) == LETTERS[:3]
    assert any_pod.log.server.call("HGET", [any_pod.log.keys.hail(0, "state")], ["unwritten"]) == b"1"
