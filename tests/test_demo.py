"""The example project: its events, by hand and over all the data, and `manage.py demo` from start to end."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import UTC, date, datetime, timedelta
from html import unescape
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest
from redis import Redis

from example_project import home
from example_project.flights import load as loading
from example_project.flights.events import events
from example_project.lock import AlreadyHeld, held
from example_project.ports import HOST, free_port, is_free, next_free_port
from tests.patience import until

ROOT = Path(__file__).parents[1]
START_SECONDS = 120
SAMPLE = 2_000

# With this as the last day, the year's first day is 364 days before: 23 November 2025.
TODAY = date(2026, 11, 22)


def event(today: date = TODAY, **changed: str) -> dict[str, Any]:
    """The first flight of the year, changed."""
    row = {
        "time_hour": "2013-01-01T10:00:00Z",
        "carrier": "UA",
        "origin": "EWR",
        "dest": "IAH",
        "dep_delay": "2",
        "arr_delay": "11",
        "distance": "1400",
    }
    [only] = events([row | changed], today)
    return only


class TestEvents:
    def test_a_flight_becomes_an_event(self) -> None:
        assert event() == {
            "pk": "flights",
            "dimensions": {
                "carrier": "United (UA)",
                "origin": {"EWR": "IAH"},
                "route": "EWR-IAH",
                "hour": "05",
            },
            "metrics": {
                "flights": 1,
                "departed": 1,
                "dep_delay": 2,
                "arrived": 1,
                "arr_delay": 11,
                "distance": 1400,
            },
            "at": datetime(2025, 11, 23, 10, tzinfo=UTC),
        }

    def test_new_years_eve_becomes_today(self) -> None:
        # 04:00 in UTC is 23:00 of the day before in New York.
        assert event(time_hour="2014-01-01T04:00:00Z")["at"] == datetime(2026, 11, 23, 4, tzinfo=UTC)

    def test_the_hour_stays_when_summer_becomes_winter(self) -> None:
        # 20 March was in summer time, four hours from UTC; 9 February is not, and five.
        moved = event(time_hour="2013-03-20T10:00:00Z")
        assert moved["at"] == datetime(2026, 2, 9, 11, tzinfo=UTC)
        assert moved["dimensions"]["hour"] == "06"

    def test_the_hour_that_is_skipped_is_the_hour_after(self) -> None:
        # 1 June, 02:00, lands on 8 March 2026, when the clocks go from 02:00 to 03:00, which is 07:00 in UTC.
        moved = event(date(2026, 10, 7), time_hour="2013-06-01T06:00:00Z")
        assert moved["at"] == datetime(2026, 3, 8, 7, tzinfo=UTC)
        assert moved["dimensions"]["hour"] == "02"

    def test_the_hour_that_comes_twice_is_the_first_one(self) -> None:
        # 31 December, 01:00, lands on 1 November 2026, when 01:00 is 05:00 in UTC and then 06:00.
        moved = event(date(2026, 11, 1), time_hour="2013-12-31T06:00:00Z")
        assert moved["at"] == datetime(2026, 11, 1, 5, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("dep_delay", "arr_delay", "expected"),
        [
            ("NA", "NA", {"cancelled": 1}),
            ("30", "NA", {"departed": 1, "dep_delay": 30}),
            ("-3", "-20", {"departed": 1, "dep_delay": -3, "arrived": 1, "arr_delay": -20}),
            ("0", "15", {"departed": 1, "dep_delay": 0, "arrived": 1, "arr_delay": 15}),
            ("0", "16", {"departed": 1, "dep_delay": 0, "arrived": 1, "arr_delay": 16, "late": 1}),
        ],
    )
    def test_what_is_known_of_a_flight_is_counted(
        self, dep_delay: str, arr_delay: str, expected: dict[str, int]
    ) -> None:
        known = {"flights": 1, "distance": 1400}
        assert event(dep_delay=dep_delay, arr_delay=arr_delay)["metrics"] == known | expected

    def test_an_unknown_carrier_keeps_its_code(self) -> None:
        assert event(carrier="ZZ")["dimensions"]["carrier"] == "ZZ"

    @pytest.mark.parametrize("today", [TODAY, date(2024, 2, 29)])
    def test_every_flight_is_there_on_its_day(self, today: date) -> None:
        new_york = ZoneInfo("America/New_York")
        with gzip.open(loading.DATA, "rt", newline="") as file:
            hours = Counter(row["time_hour"] for row in csv.DictReader(file))
        days: Counter[date] = Counter()
        for hour, flights in hours.items():
            day = datetime.fromisoformat(hour).astimezone(new_york).date()
            days[today - (date(2013, 12, 31) - day)] += flights

        moved = Counter(event["at"] for event in events(loading.rows(), today))
        moved_days: Counter[date] = Counter()
        for instant, flights in moved.items():
            moved_days[instant.astimezone(new_york).date()] += flights

        assert moved_days == days
        assert moved.total() == 336_776
        assert (min(moved_days), max(moved_days)) == (today - timedelta(days=364), today)


class TestRows:
    def test_a_sample_is_spread_over_the_year(self) -> None:
        sample = list(loading.rows(SAMPLE))
        assert len(sample) == SAMPLE
        assert {row["time_hour"][5:7] for row in sample} == {f"{month:02}" for month in range(1, 13)}


class FakeWhale:
    """Counts by counting, or fails after some events."""

    def __init__(self, fail_after: int | None = None, refused: int = 0) -> None:
        self.fail_after = fail_after
        self.refused = refused
        self.seen = 0
        self.resets: list[str] = []

    def count_many(self, items: Iterator[Any]) -> int:
        for _ in items:
            self.seen += 1
            if self.seen == self.fail_after:
                raise KeyboardInterrupt
        return self.seen - self.refused

    def reset(self, pk: str) -> None:
        self.resets.append(pk)
        self.seen = 0


class TestLoad:
    @pytest.fixture
    def client(self, any_redis_url: str) -> Iterator[Any]:
        with loading.connect(any_redis_url) as client:
            yield client

    @pytest.fixture
    def load(self, client: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[FakeWhale], Any]:
        def load(whale: FakeWhale) -> loading.Load:
            monkeypatch.setattr(loading, "Whale", whale)
            return loading.load(client, 50, TODAY, io.StringIO())

        return load

    @pytest.fixture
    def marker(self, client: Any) -> Callable[[], loading.Load | None]:
        return lambda: loading.earlier(client)

    def test_a_complete_load_is_remembered(self, load: Any, marker: Any) -> None:
        whale = FakeWhale()
        load(whale)
        assert marker() == loading.Load(50, "2026-11-22", complete=True)
        assert marker().serves(50)
        assert not marker().serves(51)
        assert (whale.seen, whale.resets) == (50, [])

    def test_nothing_is_remembered_before(self, marker: Any) -> None:
        assert marker() is None

    def test_a_load_broken_off_is_taken_back_and_done_again(self, load: Any, marker: Any) -> None:
        whale = FakeWhale(fail_after=20)
        with pytest.raises(KeyboardInterrupt):
            load(whale)
        assert not marker().serves(50)
        whale.fail_after = None
        load(whale)
        assert marker().serves(50)
        assert (whale.seen, whale.resets) == (50, ["flights"])

    def test_a_load_that_lost_flights_is_not_complete(self, load: Any, marker: Any) -> None:
        with pytest.raises(loading.Incomplete, match="47 of 50 flights were counted"):
            load(FakeWhale(refused=3))
        assert not marker().serves(50)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class TestProgress:
    def test_a_terminal_shows_a_bar(self) -> None:
        terminal = Terminal()
        assert list(loading.progress(range(2_000), 2_000, terminal)) == list(range(2_000))
        half, whole = terminal.getvalue().strip().split("\r")
        assert re.match(r"\[#{20}\.{20}\] 1,000 of 2,000, [\d,]+ a second", half)
        assert re.match(r"\[#{40}\] 2,000 of 2,000, [\d,]+ a second", whole)

    def test_a_file_shows_nothing(self) -> None:
        stream = io.StringIO()
        assert list(loading.progress(range(2_000), 2_000, stream)) == list(range(2_000))
        assert stream.getvalue() == ""


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as server:
        server.bind((HOST, 0))
        server.listen()
        yield server.getsockname()[1]


class TestPorts:
    def test_a_port_somebody_listens_on_is_not_free(self, taken_port: int) -> None:
        assert not is_free(taken_port)

    def test_the_next_free_port_is_above_and_free(self, taken_port: int) -> None:
        assert next_free_port(taken_port - 1) > taken_port
        assert is_free(next_free_port(taken_port))

    def test_above_the_highest_port_any_free_one_will_do(self) -> None:
        assert 1024 <= next_free_port(65_535) <= 65_535


class TestHome:
    @pytest.fixture(autouse=True)
    def directory(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setattr(home, "DIRECTORY", tmp_path / "home")
        return tmp_path / "home"

    def test_what_is_made_once_is_kept_for_its_owner_only(self, directory: Path) -> None:
        assert home.password() == home.password()
        assert stat.S_IMODE((directory / "password").stat().st_mode) == 0o600
        assert (directory / "password").read_text().strip() == home.password()

    def test_an_empty_file_is_made_anew(self, directory: Path) -> None:
        directory.mkdir()
        (directory / "secret").touch()
        assert len(home.secret_key()) > 50

    def test_the_port_moves_and_stays_moved(self) -> None:
        home.valkey_port()
        moved = home.move_valkey_port()
        assert home.valkey_port() == moved

    def test_where_nothing_can_be_kept_settings_still_work(self, directory: Path) -> None:
        directory.write_text("a file, and so no directory")
        assert home.secret_key()
        assert home.valkey_port()

    def test_where_nothing_can_be_kept_the_message_says_what_to_do(self, directory: Path) -> None:
        directory.write_text("a file, and so no directory")
        problem = home.unwritable(directory)
        assert problem is not None
        assert str(directory) in problem
        assert "HAILWHALE_HOME=" in problem

    def test_a_new_directory_is_writable(self, directory: Path) -> None:
        assert home.unwritable(directory) is None


class TestLock:
    def test_the_second_learns_who_the_first_is(self, tmp_path: Path) -> None:
        with held(tmp_path / "lock") as tell:
            tell("at http://127.0.0.1:8000/")
            with pytest.raises(AlreadyHeld) as caught, held(tmp_path / "lock"):
                pass
        assert caught.value.pid == str(os.getpid())
        assert caught.value.about == "at http://127.0.0.1:8000/"

    def test_it_can_be_held_again_afterwards(self, tmp_path: Path) -> None:
        for _ in range(2):
            with held(tmp_path / "lock"):
                pass


class Demo:
    """`manage.py demo` as a person starts it: a process that leads a group of its own, as in a terminal."""

    def __init__(self, directory: Path, **environment: str) -> None:
        self.directory = directory
        inherited = {
            name: value
            for name, value in os.environ.items()
            if name not in {"HAILWHALE_REDIS_URL", "HAILWHALE_BROKER_URL", "DJANGO_SETTINGS_MODULE", "PORT"}
        }
        given = {"HAILWHALE_HOME": str(directory), "HAILWHALE_DEMO_ROWS": str(SAMPLE)}
        # Whoever runs the tests in the background of a script ignores Ctrl-C, and would have the demo ignore it too.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "demo"],
            cwd=ROOT,
            env=inherited | given | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.output = ""

    def read(self, until: str | None = None) -> str:
        """What it says, to its end or to a line that contains `until`. One that hangs is killed."""
        assert self.process.stdout
        watchdog = threading.Timer(START_SECONDS, self.process.kill)
        watchdog.start()
        try:
            for line in self.process.stdout:
                self.output += line
                if until and until in line:
                    return self.output
        finally:
            watchdog.cancel()
        assert until is None, f"the demo ended before it said {until!r}:\n{self.output}"
        return self.output

    def told(self, name: str) -> str:
        found = re.search(rf"^  {name} +(\S+)$", self.output, re.MULTILINE)
        assert found, self.output
        return found[1]

    def site(self) -> str:
        """The address that it says to open, without the way in."""
        return self.told("Open").partition("enter/")[0]

    @property
    def valkey_port(self) -> int:
        return int((self.directory / "valkey" / "port").read_text())

    def children(self) -> dict[str, int]:
        """The process ids of what it runs beside the web server: by name, those that live."""
        found = {}
        for pid in map(int, filter(str.isdecimal, os.listdir("/proc"))):
            with suppress(OSError):
                words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
                inherited = Path(f"/proc/{pid}/environ").read_text().split("\0")
                if "celery" in words and f"HAILWHALE_HOME={self.directory}" in inherited:
                    found[next(word for word in words if word in ("worker", "beat"))] = pid
        return found

    def end(self, how: Callable[[int, int], None] = os.killpg, number: int = signal.SIGINT) -> int:
        how(self.process.pid, number)
        self.read()
        return self.process.wait(START_SECONDS)


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Callable[..., Demo]]:
    """Starts demos in one home, each on a port of its own, and leaves nothing running."""
    started: list[Demo] = []
    directory = tmp_path / "home with a space"

    def start(**environment: str) -> Demo:
        started.append(Demo(directory, **({"PORT": str(free_port())} | environment)))
        return started[-1]

    yield start

    for one in started:
        with suppress(ProcessLookupError):
            os.killpg(one.process.pid, signal.SIGKILL)
        one.process.wait(START_SECONDS)
        assert one.process.stdout
        one.process.stdout.close()
    if (directory / "valkey" / "port").exists() and not is_free(started[0].valkey_port):
        with closing(Redis(port=started[0].valkey_port)) as orphan:
            orphan.shutdown(nosave=True)


class Browser:
    """As much of one as logging in takes."""

    def __init__(self) -> None:
        self.cookies = CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))
        # By its own name it would be counted as a bot.
        self.opener.addheaders = [
            ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0")
        ]

    def get(self, url: str, form: dict[str, str] | None = None) -> tuple[str, dict[str, str]]:
        body = urlencode(form).encode() if form else None
        try:
            with self.opener.open(url, body, timeout=START_SECONDS) as response:
                return response.read().decode("utf-8", "replace"), {
                    name.lower(): value for name, value in response.headers.items()
                }
        except HTTPError as error:
            with error:
                raise AssertionError(f"{url} answered {error.code}:\n{error.read().decode()}") from None

    def log_in(self, url: str, user: str, password: str) -> str:
        """The page at `url`, by way of the login page that stands before it."""
        page, _ = self.get(url)
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
        assert token, page
        login = re.match(r"https?://[^/]+", url)
        assert login
        form = {
            "csrfmiddlewaretoken": token[1],
            "username": user,
            "password": password,
            "next": url.removeprefix(login[0]),
        }
        page, _ = self.get(f"{login[0]}/admin/login/", form)
        return page


def look_at(url: str, slug: str) -> float:
    """Load a product's page, and its pixel as browsers do; returns the seconds until the page says that it was seen."""
    visitor = Browser()
    page, _ = visitor.get(f"{url}shop/{slug}/")
    pixel = re.search(r'<img src="/([^"]+/pixel/[^"]+)"', page)
    assert pixel, page
    visitor.get(url + pixel[1])
    began = time.monotonic()
    assert until(lambda: "Looked at 1 times today" in visitor.get(f"{url}shop/{slug}/")[0])
    return time.monotonic() - began


class TestDemo:
    def test_from_the_first_start_to_the_second(self, demo: Callable[..., Demo]) -> None:
        first = demo()
        assert f"Loading {SAMPLE:,} flights" in first.read(until="Ctrl-C")
        assert f"{SAMPLE:,} flights counted in" in first.output
        url, password = first.site(), first.told("Password")
        home_page, headers = Browser().get(url)
        assert all(f"/counter/{one}/" in home_page for one in ("flights", "shop", "requests"))
        flights = re.search(r'href="(/admin/[^"]*/flights/[^"]*)"', home_page)
        assert flights
        admin_url = url.removesuffix("/") + unescape(flights[1])
        assert "flights" in Browser().log_in(admin_url, first.told("User"), password)
        assert headers["content-security-policy"].replace("; ", ";").split(";") == [
            "default-src 'self'",
            "img-src 'self' data:",
        ]
        assert "#" in Browser().get(url + "static/admin/css/base.css")[0]
        dashboard = Browser().get(first.told("Open"))[0]
        assert "The shop" in dashboard and "Revenue per visitor" in dashboard

        other = demo()
        assert f"already running in {first.directory}, at {url}" in other.read()
        assert f"kill {first.process.pid}" in other.output
        assert other.process.wait(START_SECONDS) == 1
        assert not is_free(first.valkey_port)
        assert set(first.children()) == {"worker", "beat"}

        # As Ctrl-C does it: the whole group is told.
        assert first.end() == 0
        assert first.children() == {}
        assert is_free(first.valkey_port)
        assert is_free(int(re.findall(r":(\d+)/", url)[0]))

        second = demo()
        assert "Loading" not in second.read(until="Ctrl-C")
        assert f"{SAMPLE:,} flights, of the year that ends on" in second.output
        assert second.told("Password") == password
        assert second.end(os.kill, signal.SIGTERM) == 0
        assert second.children() == {}
        assert is_free(second.valkey_port)

    def test_after_it_was_killed_the_next_start_cleans_up(self, demo: Callable[..., Demo]) -> None:
        killed = demo()
        killed.read(until="Ctrl-C")
        killed.end(number=signal.SIGKILL)
        assert not is_free(killed.valkey_port)
        # They notice by themselves that they are alone.
        assert until(lambda: not killed.children())

        again = demo()
        assert "Loading" not in again.read(until="Ctrl-C")
        assert again.end() == 0
        assert is_free(again.valkey_port)

    def test_the_servers_port_moves_when_somebody_else_has_it(
        self, demo: Callable[..., Demo], tmp_path: Path, taken_port: int
    ) -> None:
        port_file = tmp_path / "home with a space" / "valkey" / "port"
        port_file.parent.mkdir(parents=True)
        port_file.write_text(str(taken_port))
        moved = demo()
        moved.read(until="Ctrl-C")
        assert moved.valkey_port != taken_port
        assert moved.end() == 0

    def test_a_taken_port_is_named_with_the_next_free_one(self, demo: Callable[..., Demo], taken_port: int) -> None:
        refused = demo(PORT=str(taken_port))
        assert re.search(rf"Port {taken_port} is taken. .* PORT=\d+ make demo", refused.read())
        assert refused.process.wait(START_SECONDS) == 1

    def test_a_port_that_is_none_is_refused(self, demo: Callable[..., Demo]) -> None:
        assert "PORT=eighty is no port" in demo(PORT="eighty").read()

    def test_a_directory_that_cannot_be_written_is_named(self, demo: Callable[..., Demo], tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        refused = demo(HAILWHALE_HOME=str(tmp_path / "file" / "home"))
        assert f"Cannot write into {tmp_path / 'file' / 'home'}" in refused.read()
        assert refused.process.wait(START_SECONDS) == 1

    def test_a_server_of_ones_own_is_used_and_left_running(self, demo: Callable[..., Demo], redis_url: str) -> None:
        own = demo(HAILWHALE_REDIS_URL=redis_url)
        own.read(until="Ctrl-C")
        look_at(own.site(), "gale")
        assert own.end() == 0
        assert own.children() == {}
        with closing(Redis.from_url(redis_url)) as client:
            assert json.loads(client.get(loading.MARKER))["complete"]
            # Celery's messages are no business of somebody's own server.
            assert client.info("keyspace").keys() == {"db0"}
            assert not client.keys("*kombu*")

    def test_a_server_that_does_not_answer_is_named(self, demo: Callable[..., Demo]) -> None:
        nobody = f"redis://127.0.0.1:{free_port()}"
        refused = demo(HAILWHALE_REDIS_URL=nobody)
        assert nobody in refused.read()
        assert "Traceback" not in refused.output
        assert refused.process.wait(START_SECONDS) == 1

    def test_a_visit_is_in_the_table_within_two_seconds(self, demo: Callable[..., Demo]) -> None:
        shop = demo()
        shop.read(until="Ctrl-C")
        url = shop.site()
        # A worker that is up, and has counted for the first time, is idle from then on.
        lags = {slug: look_at(url, slug) for slug in ("gale", "squall", "fen", "pier", "mint", "smoke")}
        # Shown by `pytest -s`. The quickest counts, since the machine may have much else to do.
        print("seconds from the pixel to the page:", {slug: round(lag, 2) for slug, lag in lags.items()})
        assert min(lags.values()) < 2
        table = Browser().log_in(
            f"{url}admin/hailwhale_django/counter/shop/?d=product&p=today&m=views", "demo", shop.told("Password")
        )
        assert "Squall" in table
        assert "Gale" in table
        assert shop.end() == 0

    def test_a_worker_that_dies_is_started_again(self, demo: Callable[..., Demo]) -> None:
        shop = demo()
        shop.read(until="Ctrl-C")
        url = shop.site()
        os.kill(shop.children()["worker"], signal.SIGKILL)
        shop.read(until="The worker ended (by signal 9) and is started again")
        look_at(url, "gale")
        assert shop.end() == 0

    def test_a_worker_that_does_not_stay_up_ends_the_demo(self, demo: Callable[..., Demo]) -> None:
        broken = demo(HAILWHALE_BROKER_URL="nonsense://127.0.0.1")
        assert "does not stay up. Its log" in broken.read()
        assert "No such transport" in broken.output
        assert broken.process.wait(START_SECONDS) == 1
        assert broken.children() == {}
        assert is_free(broken.valkey_port)
