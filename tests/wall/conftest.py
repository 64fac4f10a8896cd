"""A furnished office with accounts, in a server and without one, and browsers that look at it."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from simulation.floor import Floor
from tests.postgres import LocalPostgres, Places
from tests.streams.receivers import free_port
from tests.wall.office import Office, Server, furnished, serving
from tests.wall.test_view import NOON
from tests.wall.visiting import PASSWORD, Client, Opened, browser
from wall.accounts.door import CSRF_HEADER, Door
from wall.accounts.store import Store
from wall.view import View


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def places(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Places:
    """Where a view of a name can be, with nothing in it: in a file, and in a PostgreSQL."""
    if request.param == "sqlite":
        return lambda name: tmp_path_factory.mktemp(name) / "view.sqlite"
    server: LocalPostgres = request.getfixturevalue("postgres")
    return server.emptied


@pytest.fixture
def unused_port() -> int:
    return free_port()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    held = Store(tmp_path / "accounts.sqlite")
    yield held
    held.close()


@pytest.fixture
def door(store: Store) -> Door:
    return Door(store)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    view = View(tmp_path / "view.sqlite")
    furnished_ = furnished(view, Floor(sellers=4, teams=2), date(2026, 3, 2), NOON)
    yield furnished_
    furnished_.explainer.close()
    view.close()


@pytest.fixture
def manager(office: Office, door: Door) -> Client:
    """A browser in which the first account was made."""
    client = browser(office, door)
    client.headers[CSRF_HEADER] = "none"
    made = client.post("/api/first", json={"code": door.first_code, "name": "Eva", "password": PASSWORD})
    assert made.status_code == 201
    client.headers[CSRF_HEADER] = made.json()["csrf"]
    return client


@pytest.fixture
def server(office: Office, door: Door) -> Iterator[Server]:
    with serving(office, door) as running:
        yield running


@pytest.fixture
def opened(chromium: Browser, server: Server) -> Iterator[Opened]:
    """Opens a page, in a browser of its own unless told which, and sees that nothing went wrong on it."""
    faults: list[str] = []
    contexts: list[BrowserContext] = []

    def open_(path: str, context: BrowserContext | None = None, **how: str) -> Page:
        if context is None:
            context = chromium.new_context(**{"viewport": {"width": 1280, "height": 800}, **how})
            contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: faults.extend([said.text] * ("Content Security" in said.text)))
        page.goto(f"{server.address}{path}")
        return page

    yield open_
    for context in contexts:
        context.close()
    assert faults == []
