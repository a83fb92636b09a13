from __future__ import annotations

from .command import program

if __name__ == "__main__":
    program()
