"""A real Kafka, a real PostgreSQL and a real browser for the tests that need them."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import settings
from playwright.sync_api import Browser, expect

import tests.examples  # noqa: F401 - registers the profiles
from bench.chromium import NO_CHROMIUM, chromium_path, launched
from streams.local_kafka import LocalKafka, NotInstalledError
from tests.postgres import LocalPostgres, running
from tests.secured_kafka import Certificates, SecuredKafka

KafkaT = TypeVar("KafkaT", bound=LocalKafka)

MAVEN_CRM = Path(__file__).parents[2] / "shared" / "data" / "maven-crm"


# Registered, as the deep one of `./run properties` is, in tests/examples.py.
settings.load_profile("untimed")
# Of a page, as of all else, a test waits for what it needs as long as a loaded machine may take.
expect.set_options(timeout=30_000)


LONGEST = (
    *("chaos/test_crashes_of_ledger", "chaos/test_crashes_of_goals", "chaos/test_crashes_of_scorecard"),
    *("agents/test_pipeline", "wall/test_page_restarts", "streams/test_local_kafka"),
    "streams/test_connecting",
    *("audit/test_comparing", "malvakt/test_second_opinion", "agents/test_goals", "malvakt/test_commands"),
    *("goals/test_backtest", "goals/test_foreseeing", "wall/test_keeping", "simulation/test_behaviour"),
    *("audit/test_definitions", "streams/test_notifier", "audit/test_own", "audit/test_explaining"),
    "wall/test_page",
)
"""The files that take longest, which begin first, so that none is left alone at the end."""
_BEGINNING = {f"tests/{name}.py": place for place, name in enumerate(LONGEST)}


def pytest_addoption(parser: pytest.Parser) -> None:
    """What takes long runs only where it is asked for."""
    parser.addoption("--long", action="store_true", help="only what takes long, and all of it")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Function]) -> None:
    """Let the longest begin first, and mark what needs a broker, a database or a browser.

    So `-m "not kafka"` leaves out just what it says.
    """
    long = bool(config.getoption("--long"))
    takes_long = {item.nodeid for item in items if item.get_closest_marker("long")}
    config.hook.pytest_deselected(items=[item for item in items if (item.nodeid in takes_long) != long])
    items[:] = [item for item in items if (item.nodeid in takes_long) == long]
    items.sort(key=lambda item: _BEGINNING.get(item.nodeid.partition("::")[0], len(LONGEST)))
    for item in items:
        if {"kafka_address", "own_kafka", "secured_kafka"} & set(item.fixturenames):
            item.add_marker("kafka")
        if {"postgres", "own_postgres"} & set(item.fixturenames):
            item.add_marker("postgres")
        if "chromium" in item.fixturenames:
            item.add_marker("browser")


@pytest.fixture(scope="session")
def kafka_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running Kafka."""
    named = os.environ.get("MALVAKT_TEST_BROKER")
    if named:
        yield named
        return
    kafka = started(LocalKafka(tmp_path_factory.mktemp("kafka")))
    yield kafka.address
    kafka.stop()


@pytest.fixture
def own_kafka(tmp_path: Path) -> Iterator[LocalKafka]:
    """A broker of the test's own, to stop and start at will."""
    kafka = started(LocalKafka(tmp_path / "kafka"))
    yield kafka
    kafka.stop()


# One file's: in another process it would be started once more.
@pytest.fixture(scope="module")
def secured_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredKafka]:
    """A broker that speaks TLS and asks for users."""
    directory = tmp_path_factory.mktemp("secured")
    kafka = started(SecuredKafka(directory, issued(directory / "certificates")))
    yield kafka
    kafka.stop()


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """An authority, and what it vouches for, which no broker of ours knows."""
    return issued(tmp_path_factory.mktemp("certificates"))


def issued(directory: Path) -> Certificates:
    """New certificates, or a skipped test where OpenSSL's command is missing; in CI that is a failure."""
    try:
        return Certificates(directory)
    except FileNotFoundError as error:
        if os.environ.get("MALVAKT_REQUIRE_KAFKA"):
            pytest.fail(str(error))
        pytest.skip(str(error))


def started(kafka: KafkaT) -> KafkaT:
    """The broker, started, or a skipped test where none can run; in CI that is a failure."""
    try:
        kafka.start()
    except NotInstalledError as error:
        if os.environ.get("MALVAKT_REQUIRE_KAFKA"):
            pytest.fail(str(error))
        pytest.skip(str(error))
    return kafka


@pytest.fixture(scope="session")
def postgres() -> Iterator[LocalPostgres]:
    """A running PostgreSQL, or a skipped test where there is none; in CI that is a failure."""
    with running() as server:
        yield server


@pytest.fixture
def own_postgres() -> Iterator[LocalPostgres]:
    """A server of the test's own, to stop and start at will."""
    with running() as server:
        yield server


# As long as the browser runs, Playwright's event loop does, and no other may: so not for a session.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The system's Chromium, or a skipped test where there is none; in CI that is a failure."""
    path = chromium_path()
    if path is None:
        if os.environ.get("MALVAKT_REQUIRE_BROWSER"):
            pytest.fail(NO_CHROMIUM)
        pytest.skip(NO_CHROMIUM)
    with launched(path) as browser:
        yield browser


@pytest.fixture(scope="session")
def maven_crm() -> Path:
    """The folder of the Maven CRM data, which is not part of the product: a stranger's clone lacks it."""
    if not MAVEN_CRM.is_dir():
        missing = f"the Maven CRM data are not part of the product, and {MAVEN_CRM} is missing"
        if os.environ.get("MALVAKT_REQUIRE_DATA"):
            pytest.fail(missing)
        pytest.skip(missing)
    return MAVEN_CRM
