#!/usr/bin/env python
"""Django's command line for the example project: `python manage.py demo` shows it all."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "example_project.settings")
    try:
        from django.core.management import execute_from_command_line
    except ImportError as missing:
        sys.exit(f"{missing}: `make demo` installs what this needs, or: pip install -e '.[demo]'")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
