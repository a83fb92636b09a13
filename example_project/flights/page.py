"""The flights' page to look at first: carriers by minutes of delay for each arrival, the worst first."""

from __future__ import annotations

COLUMNS = "arr_delay/arrived,flights,late/arrived,cancelled/flights,dep_delay/departed"
START_PATH = f"/admin/hailwhale_django/counter/flights/?d=carrier&p=year&m={COLUMNS}"
