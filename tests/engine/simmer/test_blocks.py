"""Where lines have their keys and values, against cutting them one by one."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from hailwhale_django.engine.simmer.blocks import Block

PIECES = st.sampled_from([b"\t", b"\n", b"a", b"sum:x", b"uv:a long key", b"12345678", b"\r", b"\0"])


@given(st.lists(PIECES, min_size=1, max_size=40).map(b"".join))
@example(b"sum:long\t1\n" * 20)
@example(b"sum:key\nsum:key\t1234567\t1234567\n")  # as many tabs as lines
@example(b"1234567\n\t1234567\t1234567\n1234567\n")
@example(b"\n\t")
def test_a_key_ends_with_the_first_tab_and_a_value_with_the_next(lines: bytes) -> None:
    block = Block(lines)
    expected = lines.removesuffix(b"\n").split(b"\n")
    columns = [line.rstrip(b"\r").split(b"\t") for line in expected]
    good = [number for number, line in enumerate(expected) if b"\t" in line]
    assert [block.line(number) for number in range(len(block))] == expected
    assert [number for number in range(len(block)) if not block.torn[number]] == good
    assert [block.keys.texts()[number] for number in good] == [expected[number].split(b"\t")[0] for number in good]
    values = [block.values.texts()[number] for number in good]
    assert values == [columns[number][1] if len(columns[number]) > 1 else b"" for number in good]
