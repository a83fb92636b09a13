"""A store: one server under one prefix, with what its numbers mean."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from ..domain.crossing import Crossings
from ..domain.editions import Editions
from ..domain.event import Places
from ..domain.intake import Intake
from ..domain.plan import Schedule, parse_schedule
from ..domain.sketchbook import Sketchbook
from ..domain.timeline import timeline
from ..errors import InvalidConfiguration
from .catalog import Catalog, Limits
from .choices import Choices
from .conversation import Conversation
from .evidence import Evidences
from .keys import SCHEMA, Keys
from .server import Call, Server
from .sketches import Sketches
from .tiles import Tiles

DEFAULT_INTERVALS: Mapping[str, str | None] = {"1m": "2d", "1h": "90d", "1d": "5y", "1w": "5y", "1mo": None}


@dataclass(frozen=True, slots=True)
class Options:
    """What a store's numbers mean. `limits`, `sketchbook` and `crossings` may change; all else is fixed once something
    is counted.
    """

    prefix: str = "hw"
    zone: str = "UTC"
    intervals: Mapping[str, str | None] = field(default_factory=lambda: dict(DEFAULT_INTERVALS))
    places: Places = field(default_factory=Places)
    limits: Limits = field(default_factory=Limits)
    sketchbook: Sketchbook = field(default_factory=Sketchbook)
    crossings: Crossings = field(default_factory=Crossings)


# The field of what is known of earlier sketchbooks.
SKETCHES = "sketches"

# What the stored meanings are called in the settings.
SETTING_OF = {"zone": "TIME_ZONE", "places": "PLACES"}


class Store:
    """The doors to one server: `catalog` for names, `tiles` and `sketches` for counts, `evidences` for what
    decisions learn, `schedule` for time."""

    def __init__(self, server: Server, options: Options | None = None) -> None:
        self.server = server
        self.options = options or Options()
        self.keys = Keys(self.options.prefix)
        self.places = self.options.places
        self.intake = Intake(self.places)
        self.timeline = timeline(ZoneInfo(self.options.zone))
        self.catalog = Catalog(server, self.keys, self.options.limits)
        self.schedule = parse_schedule(self.options.intervals, self.timeline)
        self.tiles = Tiles(server, self.keys, self.schedule)
        self.sketches = Sketches(server, self.tiles)
        self.choices = Choices(server, self.keys)
        self.evidences = Evidences(server, self.keys, self.schedule)
        self.editions = Editions(()).then(self.options.sketchbook, 0)
        self._checked = False

    @property
    def doors(self) -> tuple[Tiles, Evidences]:
        """What says where a fold's increments go."""
        return self.tiles, self.evidences

    def schedule_of(self, kept: str) -> Schedule:
        """The schedule of a sketch: the intervals at which it is kept, each since it is."""
        schedule = self.schedule.only(self.options.sketchbook.rule(kept).keeps_interval)
        return schedule.later(lambda interval: self.editions.since(kept, interval))

    def check(self, now: float, *, writing: bool) -> None:
        """Compare what the stored numbers mean with the options, once; the first to count writes it down.

        An interval that was added later holds only what came since, so readers use it from then on.
        Raises `InvalidConfiguration` when the zone or the decimal places were changed under existing counts.
        """
        if self._checked:
            return
        meaning = self._meaning()
        found = self._stored(meaning)
        fresh = found["schema"] is None
        if writing:
            begin = "0" if fresh else str(int(now))
            # The schema comes last: where it is missing, all else may be.
            written = {f"since:{kept.interval}": begin for kept in self.schedule.kept} | meaning
            self.server.run([Call("HSETNX", [self.keys.store], pair) for pair in written.items()])
            found = self._stored(meaning)
        elif fresh:
            return
        self._settle(meaning, found, now, writing=writing)

    def checking(self, now: float) -> Conversation[None]:
        """As `check`, for a reader. One round trip, the first time."""
        if not self._checked:
            meaning = self._meaning()
            found = yield from self._looking(meaning)
            if found["schema"] is not None and not self._checked:  # by another conversation, meanwhile
                self._settle(meaning, found, now, writing=False)

    def _settle(
        self, meaning: Mapping[str, str], found: Mapping[str, str | None], now: float, *, writing: bool
    ) -> None:
        """Take over what was found, unless it contradicts the options."""
        self._compare(meaning, found)
        self.editions = self._edited(found[SKETCHES], int(now), writing=writing)
        since = {str(kept.interval): found[f"since:{kept.interval}"] for kept in self.schedule.kept}
        self.schedule = self.tiles.schedule = self.evidences.schedule = self.schedule.since(
            {interval: int(now if at is None else at) for interval, at in since.items()}
        )
        self._checked = None not in since.values()

    def _edited(self, stored: str | None, now: int, *, writing: bool) -> Editions:
        """The sketchbooks so far and the one that holds now; whoever counts writes them down."""
        editions = (self.editions if stored is None else Editions.parse(stored)).then(self.options.sketchbook, now)
        if writing and str(editions) != stored:
            self.server.call("HSET", [self.keys.store], [SKETCHES, str(editions)])
        return editions

    def _meaning(self) -> dict[str, str]:
        places = json.dumps({"": self.places.default, **self.places.by_metric}, sort_keys=True)
        return {"zone": self.options.zone, "places": places, "schema": str(SCHEMA)}

    def _stored(self, meaning: Mapping[str, str]) -> dict[str, str | None]:
        return self.server.hold(self._looking(meaning))

    def _looking(self, meaning: Mapping[str, str]) -> Conversation[dict[str, str | None]]:
        names = [*meaning, SKETCHES, *(f"since:{kept.interval}" for kept in self.schedule.kept)]
        (values,) = yield [Call("HMGET", [self.keys.store], names)]
        return {name: None if value is None else value.decode() for name, value in zip(names, values, strict=True)}

    def _compare(self, meaning: Mapping[str, str], found: Mapping[str, str | None]) -> None:
        for name, value in meaning.items():
            if found[name] != value:
                raise InvalidConfiguration(
                    f"{SETTING_OF.get(name, name)} is {value} in the settings, but what is counted under the prefix "
                    f"{self.options.prefix!r} was counted with {found[name]}; use that, or another prefix"
                )
