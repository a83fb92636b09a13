"""YAML, of which only plain values are read: no tags that make objects, no key twice, and no aliases, by which a short
text could stand for an endless one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml

from .engine.errors import InvalidInput

WIDTH = 100
RARE_BREAKS = frozenset("\x85\u2028\u2029")
"""Ends of lines in YAML, where they are not escaped: they would come back as others."""

MERGE = "tag:yaml.org,2002:merge"


class Reader(yaml.SafeLoader):
    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()
            raise yaml.composer.ComposerError(None, None, f"write out what *{event.anchor} means", event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            if key.tag == MERGE:
                raise yaml.constructor.ConstructorError(None, None, "write out what << means", key.start_mark)
            name = (key.tag, key.value if isinstance(key, yaml.ScalarNode) else id(key))
            if name in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key.value!r} is there twice", key.start_mark)
            seen.add(name)
        found: dict[Any, Any] = super().construct_mapping(node, deep)
        return found


class Writer(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(writer: yaml.SafeDumper, text: str) -> Any:
    """Text of several lines as lines."""
    style = '"' if RARE_BREAKS & set(text) else "|" if "\n" in text else None
    return writer.represent_scalar("tag:yaml.org,2002:str", text, style)


Writer.add_representer(str, _text)


def read(text: str, source: str) -> list[Any]:
    """The documents of a text, without the empty ones. Raises `InvalidInput`."""
    try:
        return [one for one in yaml.load_all(text, Reader) if one is not None]
    except (yaml.YAMLError, ValueError) as error:
        raise InvalidInput(source, text[:20], f"write it in YAML ({' '.join(str(error).split())})") from None


def write(documents: Sequence[Any]) -> str:
    """Each as a document of its own, with keys in their order."""
    several = len(documents) > 1
    return str(
        yaml.dump_all(
            documents,
            Dumper=Writer,
            allow_unicode=True,
            default_flow_style=False,
            explicit_start=several,
            sort_keys=False,
            width=WIDTH,
        )
    )
