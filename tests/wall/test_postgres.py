"""The view in PostgreSQL: as in a file, and through all that a database elsewhere can do to it."""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.records import decode_record, encode_record
from schemas.topics import SCORECARDS
from streams.following import Fetched
from tests.postgres import LOCKED, LocalPostgres
from tests.wall.test_view import NOON, TOPICS, held, messages, numbered, record
from wall.database import AddressError, AwayError, ViewError
from wall.freshness import Heartbeat
from wall.hub import Hub, Position
from wall.postgres import SCHEMA
from wall.view import View

WAIT_S = 60.0
SECRET = "p@ss/w%rd?:#"
SCOPES = [
    "team:a",
    "team:a\0",
    "team:a\0b",
    "team:a\x01",
    "team:a\x01\x02",
    "team:A",
    "team:ö",
    "team:a b",
    "team;",
]


def answers(view: View) -> list[object]:
    """All that the view can be asked."""
    return [
        view.position,
        view.offsets,
        view.since(0, 1_000),
        view.since(view.position // 2, 3),
        *held(view),
        *(list(view.latest(kind)) for kind in ("moment", "alert")),
        *(view.of_kind(kind) for kind in ("record", "name", "member", "moment")),
        *(view.records(scope) for scope in ("team:", "seller:", "company", *SCOPES)),
        view.records(None, "day", "2026-03-02", "2026-03-02"),
        view.records("team:", after="team:a\0|day|2026-03-02", limit=4),
        *(view.entry("record", f"{scope}|day|2026-03-01") for scope in SCOPES),
        view.alerts(10),
        view.versions("g"),
    ]


told_of_scopes = st.builds(
    lambda scope, day, revision: (SCORECARDS.name, encode_record(record(scope, day, revision))),
    st.sampled_from(SCOPES),
    st.integers(1, 3),
    st.integers(1, 5),
)


@settings(max_examples=25)
@given(told=st.lists(st.one_of(messages, told_of_scopes), max_size=40), cut=st.integers(0, 40))
def test_it_answers_as_a_file_does(
    postgres: LocalPostgres,
    tmp_path_factory: pytest.TempPathFactory,
    told: list[tuple[str, bytes]],
    cut: int,
) -> None:
    """Whatever is in it, whatever it is asked, and in the same order: text by its bytes, and any of it."""
    found: list[list[object]] = []
    for where in (tmp_path_factory.mktemp("same") / "view.sqlite", postgres.emptied("same")):
        view = View(where)
        for some in (numbered(told)[:cut], numbered(told)):
            view.apply(some, NOON)
        found.append(answers(view))
        assert not view.recognise(dict.fromkeys(TOPICS, "one"), {})
        assert view.recognise({**dict.fromkeys(TOPICS, "one"), SCORECARDS.name: "two"}, {})
        found[-1] += answers(view)
        view.close()
    assert found[0] == found[1]


class Between:
    """Stands between a client and the server, and cuts the connection at a COMMIT when it is told to."""

    def __init__(self, server: LocalPostgres) -> None:
        self._server = server
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.cuts: str = ""
        threading.Thread(target=self._accept, daemon=True).start()

    def address(self, database: str) -> str:
        port = self._listening.getsockname()[1]
        return f"postgresql://postgres@127.0.0.1:{port}/{database}?sslmode=disable&gssencmode=disable"

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(str(self._server.folder / ".s.PGSQL.5432"))
            for ends in ((client, server, "before"), (server, client, "after")):
                threading.Thread(target=self._pass_on, args=ends, daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket, when: str) -> None:
        try:
            while said := source.recv(65_536):
                if self.cuts == when and b"COMMIT" in said:
                    self.cuts = ""
                    break
                target.sendall(said)
        except OSError:
            pass
        for one in (source, target):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def close(self) -> None:
        self._listening.close()


@pytest.fixture
def between(postgres: LocalPostgres) -> Iterator[Between]:
    standing = Between(postgres)
    yield standing
    standing.close()


def told(first: int, count: int, revision: int = 1) -> list[Fetched]:
    return [
        Fetched(
            SCORECARDS.name,
            0,
            first + n,
            "",
            encode_record(record(f"team:{n % 7}", 1, revision + n // 7)),
            0,
        )
        for n in range(count)
    ]


def heartbeat() -> Heartbeat:
    return Heartbeat(
        state="fresh",
        now=NOON,
        clock=None,
        elsewhere=False,
        counted_to=None,
        timezone="UTC",
        currency="SEK",
    )


@pytest.mark.parametrize(("cut", "came_through"), [("before", False), ("after", True)])
def test_what_became_of_a_commit_is_asked_of_the_database(
    between: Between, postgres: LocalPostgres, cut: str, came_through: bool
) -> None:
    """Where the connection is lost at that: walls hear of what came through, and the rest comes again."""
    postgres.emptied("unknown")
    view = View(between.address("unknown"))
    hub = Hub(view, heartbeat)
    hub.publish(view.apply(told(0, 7), NOON))
    before = hub.position
    between.cuts = cut
    with pytest.raises(AwayError):
        view.apply(told(7, 7, 2), NOON)
    assert view.away
    assert hub.position == before
    assert view.renew()
    hub.restarted()
    assert not view.renew()
    assert (view.position, view.offsets[SCORECARDS.name, 0]) == ((14, 14) if came_through else (7, 7))
    # As the keeper does: it reads on from where the view says that it is.
    changes = view.apply(told(7, 7, 2), NOON)
    assert len(changes) == (0 if came_through else 7)
    hub.publish(changes)
    events, reached = asyncio.run(hub._after(before.number))
    assert events.count(b"event: record") == 7
    assert [str(Position(view.life, n)).encode() in events for n in range(8, 15)] == [True] * 7
    assert reached == 14
    view.close()


class Wall:
    """Follows the log of a view by its positions."""

    def __init__(self, view: View) -> None:
        self._view = view
        self.seen = [0]
        self.shown: dict[str, bytes] = {}

    def look(self) -> None:
        for change in self._view.since(self.seen[-1], 1_000_000):
            self.seen.append(change.position)
            self.shown[decode_record(change.body).key] = change.body


def test_through_lost_connections_and_restarts_nothing_is_missing_and_nothing_doubled(
    own_postgres: LocalPostgres,
) -> None:
    """Written all the while, and followed by a wall: as in a view that is read anew."""
    records, enough = told(0, 4_000), threading.Event()
    view = View(own_postgres.emptied("shaken"))
    wall, lost = Wall(view), [0]

    def write() -> None:
        deadline = time.monotonic() + WAIT_S
        while (at := view.offsets.get((SCORECARDS.name, 0), 0)) < len(records):
            assert time.monotonic() < deadline
            # The last ones wait until there were faults enough.
            until = len(records) if enough.is_set() else min(at + 20, len(records) - 1)
            try:
                view.renew()
                view.apply(records[at:until], NOON)
            except AwayError:
                lost[0] += 1
            if view.away or at == until:
                time.sleep(0.02)

    writing = threading.Thread(target=write)
    writing.start()
    for number in range(6):
        if number % 3 == 2:
            own_postgres.stop()
            own_postgres.start()
        else:
            own_postgres.end_connections("shaken")
        # Amid the next transactions, and not before there are any.
        deadline, at = time.monotonic() + WAIT_S, view.position
        while view.position == at and view.offsets.get((SCORECARDS.name, 0), 0) < len(records) - 1:
            assert time.monotonic() < deadline
            time.sleep(0.001)
        with contextlib.suppress(AwayError):
            wall.look()
    enough.set()
    writing.join(WAIT_S)
    wall.look()
    assert lost[0]
    assert wall.seen == sorted(set(wall.seen))
    anew = View(own_postgres.emptied("anew"))
    anew.apply(records, NOON)
    assert sorted(wall.shown.values()) == sorted(anew.records()) == sorted(view.records())
    assert len(view.since(0, 1_000_000)) == len(anew.since(0, 1_000_000)) == 7
    assert view.offsets == anew.offsets
    view.close()
    anew.close()


def test_a_database_that_holds_less_than_it_said_begins_a_new_life(postgres: LocalPostgres) -> None:
    """As a copy that took over may: else positions that walls know would be given to something else."""
    view = View(postgres.emptied("copy"))
    view.apply(told(0, 7), NOON)
    life = view.life
    postgres.ask(
        f"DELETE FROM {SCHEMA}.entries WHERE position > 5; UPDATE {SCHEMA}.offsets SET next = 5", "copy"
    )
    postgres.end_connections("copy")
    with pytest.raises(AwayError):
        view.look()
    assert view.renew()
    assert (view.life != life, view.position, view.offsets[SCORECARDS.name, 0]) == (True, 5, 5)
    view.close()


def test_what_another_process_took_meanwhile_is_not_written(
    postgres: LocalPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until that has left it; then what it wrote is taken over."""
    view = View(postgres.emptied("taken"))
    postgres.end_connections("taken")
    other = View(postgres.address("taken"))
    other.apply(told(0, 7), NOON)
    with pytest.raises(AwayError):
        view.apply(told(0, 3), NOON)
    with monkeypatch.context() as patched:
        patched.setattr("wall.postgres.CLAIM_S", 1)
        with pytest.raises(AwayError, match="Another process"):
            view.renew()
    assert view.away
    other.close()
    assert view.renew()
    assert (view.life, view.position, view.offsets) == (other.life, 7, other.offsets)
    view.close()


def test_what_is_wrong_is_said_with_what_to_do_and_without_the_password(postgres: LocalPostgres) -> None:
    """Where nobody answers, nobody is let in, or nothing may be created."""
    postgres.emptied("words")
    postgres.ask(f"CREATE ROLE {LOCKED} LOGIN PASSWORD 'quite another'; CREATE ROLE guest LOGIN")
    postgres.emptied("copied")
    postgres.ask("ALTER DATABASE copied SET default_transaction_read_only = on")
    postgres.ask("CREATE DATABASE bytes ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0")
    secret = quote(SECRET, safe="")
    here = quote(str(postgres.folder), safe="")
    wrong = {
        f"postgresql://malvakt:{secret}@127.0.0.1:1/wall": "refused.*See that it runs",
        f"postgresql://{LOCKED}:{secret}@{here}/words": "See that user, password and database are right",
        f"postgresql://{LOCKED}@{here}/words": "asks for a password",
        f"postgresql://guest:{secret}@{here}/words": "GRANT CREATE ON DATABASE",
        f"postgresql://postgres:{secret}@{here}/nowhere": '"nowhere" does not exist',
        f"postgresql://postgres:{secret}@{here}/bytes": "ENCODING 'UTF8'",
        f"postgresql://postgres:{secret}@{here}/copied": "read-only",
    }
    for address, says in wrong.items():
        with pytest.raises(ViewError, match=says) as refused:
            View(address)
        assert not isinstance(refused.value, AddressError)
        for secret_ in (SECRET, secret, "ss/w"):
            assert secret_ not in str(refused.value)


@pytest.mark.parametrize("password", [SECRET, "a@b", "a/b", "12/34", "a%zz", "a?b=c"])
def test_an_address_that_is_none_is_refused_without_its_password(password: str) -> None:
    """No part of it is taken for a host, which would be told of."""
    with pytest.raises(AddressError, match="cannot be read") as refused:
        View(f"postgresql://malvakt:{password}@127.0.0.1:1/wall")
    assert password not in str(refused.value)
    assert refused.value.__cause__ is None


def test_what_is_neither_a_file_nor_a_postgresql_is_refused() -> None:
    """And does not become a file of a strange name."""
    with pytest.raises(AddressError, match="mysql://"):
        View("mysql://somebody:secret@there/wall")
    assert not Path("mysql:").exists()
