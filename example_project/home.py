"""Where the example project keeps what it makes: one directory, `.hailwhale/`, or `HAILWHALE_HOME`.

The database, the secret key, the demo user's password, the server's data. Reading settings never fails here:
in a directory that cannot be written, what would be kept is made up for this process alone, and it is the
`demo` command that says so.
"""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from example_project.ports import free_port

DIRECTORY = Path(os.environ.get("HAILWHALE_HOME") or Path(__file__).parents[1] / ".hailwhale").resolve()


def kept(name: str, make: Callable[[], str]) -> str:
    """What the file `name` says; on the first time it is made, and readable by its owner only."""
    path = DIRECTORY / name
    with suppress(OSError):
        if text := path.read_text().strip():
            return text
    text = make()
    with suppress(OSError):
        keep(path, text)
    return text


def keep(path: Path, text: str) -> None:
    """Write a file whole or not at all, with mode 600."""
    DIRECTORY.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.parent.mkdir(exist_ok=True)
    descriptor, unfinished = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with open(descriptor, "w") as file:
        file.write(text + "\n")
    os.replace(unfinished, path)


def secret_key() -> str:
    return kept("secret", lambda: secrets.token_urlsafe(50))


def password() -> str:
    return kept("password", lambda: secrets.token_urlsafe(9))


def entrance() -> str:
    """What stands in the address that logs in."""
    return kept("entrance", lambda: secrets.token_urlsafe(16))


def valkey_directory() -> Path:
    return DIRECTORY / "valkey"


def valkey_port() -> int:
    """The embedded server's port: chosen once, so that every command of the project finds the same server."""
    return int(kept("valkey/port", lambda: str(free_port())))


def move_valkey_port() -> int:
    """Choose another port, since somebody else has taken the one we had."""
    keep(valkey_directory() / "port", str(free_port()))
    return valkey_port()


def unwritable(directory: Path) -> str | None:
    """Why nothing can be kept in `directory`, and what to do about it; None when all is well."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            return None
    except OSError as problem:
        return (
            f"Cannot write into {directory} ({problem.strerror}). The demo keeps its data there: "
            "make it writable, or name another directory, e.g. HAILWHALE_HOME=~/hailwhale make demo"
        )
