"""The Celery app: `celery -A example_project worker` counts what the hail holds, `celery -A example_project beat` tells
it to, every second. `manage.py demo` starts both.
"""

from __future__ import annotations

import os

from celery import Celery

from example_project import lifeline
from hailwhale_django.tasks import BEAT_SCHEDULE

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "example_project.settings")

app = Celery("example_project")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.beat_schedule = {**app.conf.beat_schedule, **BEAT_SCHEDULE}
app.autodiscover_tasks()

if lifeline.VARIABLE in os.environ:
    lifeline.follow()
