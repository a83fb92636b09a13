"""A worker that drains: what `manage.py hailwhale_drain` is, forked from a process that has imported everything."""

from __future__ import annotations

import multiprocessing
from multiprocessing.process import BaseProcess
from typing import Any

import django
from django.apps import apps
from django.conf import settings
from django.core.management import call_command

from hailwhale_django.management.commands import hailwhale_drain

INTERVAL_SECONDS = 0.005
# Whoever waits for a server that is away cannot be killed at work.
AWAY_SECONDS = 0.05

if not apps.ready:
    django.setup()


def start(configured: dict[str, Any]) -> BaseProcess:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["__main__", __name__])
    worker = context.Process(target=_drain, args=(configured,), daemon=True)
    worker.start()
    return worker


def _drain(configured: dict[str, Any]) -> None:
    settings.HAILWHALE = configured
    hailwhale_drain.AWAY_SECONDS = AWAY_SECONDS
    call_command("hailwhale_drain", interval=INTERVAL_SECONDS)
