"""What all tests share: a server of their own (each xdist worker has its own, too), emptied before each test.

With HAILWHALE_REDIS_URL the tests use that server in place of theirs. They empty it, so it must be empty.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests import servers

if TYPE_CHECKING:
    from rest_framework.test import APIClient
    from selenium.webdriver import Chrome

GIVEN_URL = os.environ.get("HAILWHALE_REDIS_URL", "")
GIVEN_CLUSTER = GIVEN_URL.startswith(servers.CLUSTER_SCHEME)


def pytest_configure(config: pytest.Config) -> None:
    """Start the server, then let Django read the settings that name it: pytest-django begins with these."""
    starts_workers = config.getoption("dist", "no") != "no"
    if GIVEN_URL:
        if starts_workers:
            pytest.exit("HAILWHALE_REDIS_URL names one server, and each test empties it: run with -n 0", 1)
        check_given_server()
        config.add_cleanup(partial(empty, GIVEN_URL))
    if starts_workers:
        return  # and leaves no settings to the workers, which would read them before they have a server
    if GIVEN_CLUSTER or not GIVEN_URL:
        stack = ExitStack()
        config.add_cleanup(stack.close)
        os.environ["HAILWHALE_REDIS_URL"] = stack.enter_context(servers.standalone())
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"

    import django

    django.setup()


def check_given_server() -> None:
    with closing(servers.client(GIVEN_URL)) as client:
        if keys := servers.count_keys(client):
            pytest.exit(f"The tests would empty the server at HAILWHALE_REDIS_URL, which holds {keys} keys", 1)


@pytest.fixture(scope="session")
def valkey_url() -> str:
    """The standalone server that the settings name, with what earlier tests have left; see `redis_url`."""
    return os.environ["HAILWHALE_REDIS_URL"]


@pytest.fixture(scope="session")
def cluster_url() -> Iterator[str]:
    """A cluster of three nodes, started for the first test that asks."""
    if GIVEN_CLUSTER:
        yield GIVEN_URL
        return
    with servers.cluster() as url:
        yield url


@pytest.fixture
def redis_url(valkey_url: str) -> str:
    """The standalone server that the settings name, empty."""
    empty(valkey_url)
    return valkey_url


@pytest.fixture(params=["standalone", "cluster"])
def any_redis_url(request: pytest.FixtureRequest) -> str:
    """Each kind of server in turn, empty."""
    url: str = request.getfixturevalue("valkey_url" if request.param == "standalone" else "cluster_url")
    empty(url)
    return url


@pytest.fixture
def no_decisions(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This process knows of no registered decisions, before the test and after it."""
    from hailwhale_django import decisions

    monkeypatch.setattr(decisions, "_in_database", {})
    monkeypatch.setattr(decisions, "_in_code", {})
    monkeypatch.setattr(decisions, "_is_away", False)
    decisions.forget()
    yield
    decisions.forget()


@pytest.fixture
def drain() -> Callable[[], None]:
    """Counts everything that was accepted."""

    def drained() -> None:
        from hailwhale_django import Hail

        Hail.drain()

    return drained


@pytest.fixture
def write_keys() -> Iterator[None]:
    """Settings with the write key `tests.api.KEY`."""
    from tests.api import configured

    with configured():
        yield


@pytest.fixture
def anyone() -> APIClient:
    """A client without a user, as strict about CSRF as a real one."""
    from rest_framework.test import APIClient

    return APIClient(enforce_csrf_checks=True)


def empty(url: str) -> None:
    """Remove all keys; functions and scripts stay, as they may in real life."""
    with closing(servers.client(url)) as client:
        client.flushdb()


@pytest.fixture(scope="session")
def rabbit_url() -> Iterator[str]:
    """A RabbitMQ, started for the first test that asks."""
    from tests import rabbit

    if rabbit.command() is None:
        if os.environ.get("HAILWHALE_REQUIRE_BROKER"):
            pytest.fail(rabbit.INSTALL)
        pytest.skip(rabbit.INSTALL)
    with rabbit.rabbit() as url:
        yield url


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chrome]:
    """A headless browser for tests marked `browser`. What went wrong on a page is in `get_log("browser")`."""
    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not browser or not driver:
        reason = "needs chromium and chromedriver (Debian: apt-get install chromium chromium-driver)"
        if os.environ.get("HAILWHALE_REQUIRE_BROWSER"):
            pytest.fail(reason)
        pytest.skip(reason)

    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = browser
    # Else it calls itself headless, and is counted as a bot.
    agent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
    options.add_argument(f"--user-agent={agent}")
    # A sandbox and a large /dev/shm are what containers lack; the tests open their own pages only.
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    with webdriver.Chrome(options, webdriver.ChromeService(driver)) as chrome:
        yield chrome
