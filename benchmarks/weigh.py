"""`python weigh.py FIGURES COMMAND...`: run a command and write what it took.

The system counts the memory of a process from before it became its command, while it still was its parent's copy. So
the parent has to be small: this one is, and imports little.
"""

import os
import sys
import time

KILOBYTE = 1024
MEGABYTE = 1_000_000


def main() -> int:
    begin = time.perf_counter()
    process = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ)
    _, status, used = os.wait4(process, 0)
    wall = time.perf_counter() - begin
    with open(sys.argv[1], "w", encoding="ascii") as file:
        print(used.ru_utime + used.ru_stime, wall, used.ru_maxrss * KILOBYTE / MEGABYTE, file=file)
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main())
