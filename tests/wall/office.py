"""A simulated floor on the wall, without a broker: folded in this process, and told to the view."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from itertools import count

import uvicorn
from msgspec import structs

from audit.books import NARROW, Books, Room, Rules
from goals.history import GoalHistory
from kpis.calendar import Calendar
from kpis.contributions import Business
from kpis.definitions.holding import NOTHING, only
from kpis.replay import Replay
from malvakt.behind import Explainer
from schemas.definitions import DefinitionRecord, Definitions, encode_definition, key_of
from schemas.events import Event, Recorded, encode_event
from schemas.goals import (
    Alert,
    Goal,
    GoalStatus,
    GoalVersion,
    encode_alert,
    encode_goal,
    encode_status,
    encode_version,
)
from schemas.notices import Ack, encode_ack
from schemas.records import KpiRecord, encode_record
from schemas.topics import ACKS, ALERTS, DEFINITIONS, GOAL_STATUS, GOALS, GOALS_HISTORY, SCORECARDS
from simulation.floor import Floor, events
from streams.following import Fetched
from wall.accounts.door import Door
from wall.api import build_app
from wall.freshness import Heartbeat, State
from wall.hub import Hub
from wall.managing.desk import Desk, MakeVersions
from wall.view import View

BUSINESS = Business(Calendar("Europe/Stockholm"), "SEK")


class Heard:
    """Books of events that somebody has."""

    def __init__(self, events: Sequence[Event | Recorded], shown: Definitions, room: Room = NARROW) -> None:
        self.books = Books(Rules("Europe/Stockholm", "SEK", 2), shown, room)
        self._events = events

    def read(self, heard: Callable[[int], None]) -> None:
        self.books.take(self._events)
        heard(len(self._events))
        self.books.balance()


class Office:
    """A view, what is told to it, and the time on its wall."""

    def __init__(self, view: View, clock: datetime) -> None:
        self.view = view
        self.clock = clock
        self.state: State = "fresh"
        self.counted_to = clock
        self.currency = "SEK"
        self.hub = Hub(view, self.heartbeat)
        self.loop: asyncio.AbstractEventLoop | None = None
        """That of the server, while one runs: only there may walls be told of anything."""
        self._offsets = count()
        self.history = GoalHistory()
        self.events: list[Event] = []
        """What figures are explained by."""
        self.held = NOTHING
        """The definitions that figures are by."""
        self.explainer = Explainer(lambda _: self.held, lambda shown: Heard(self.events, shown))
        self.desk = Desk(
            acknowledge=self._acknowledge,
            change_goals=self._change_goals,
            explain=self.explainer.explain,
        )

    def heartbeat(self) -> Heartbeat:
        return Heartbeat(
            state=self.state,
            now=datetime.now(UTC),
            clock=self.clock,
            elsewhere=abs(datetime.now(UTC) - self.clock) > timedelta(minutes=5),
            counted_to=self.counted_to,
            timezone="Europe/Stockholm",
            currency=self.currency,
        )

    def tell(
        self,
        records: Iterable[KpiRecord] = (),
        told: Iterable[Event] = (),
        goals: Iterable[Goal] = (),
        statuses: Iterable[GoalStatus] = (),
        alerts: Iterable[Alert] = (),
        acks: Iterable[Ack] = (),
    ) -> None:
        """Have the view read what is published and events, as it would from Kafka."""
        goals = list(goals)
        fetched = [
            *(self._fetched(SCORECARDS.name, record.key, encode_record(record)) for record in records),
            *(self._fetched(event.topic, "", encode_event(event)) for event in told),
            *(self._fetched(GOALS.name, goal.id, encode_goal(goal)) for goal in goals),
            *(self._fetched(GOAL_STATUS.name, status.key, encode_status(status)) for status in statuses),
            *(self._fetched(ALERTS.name, alert.status.goal, encode_alert(alert)) for alert in alerts),
        ]
        set_ = [
            GoalVersion(id=goal.id, version=goal.version, by="anna", at=self.clock, goal=goal)
            for goal in goals
        ]
        for version in set_:
            self.history.take(version)
        fetched += [self._fetched(GOALS_HISTORY.name, one.id, encode_version(one)) for one in set_]
        fetched += [self._fetched(ACKS.name, ack.alert, encode_ack(ack)) for ack in acks]
        self._take(fetched)

    def define(self, definitions: Definitions) -> None:
        """Have an organisation's own figures, as if all of history had been counted under them."""
        self.held = only(definitions)
        own = {
            key_of(name, one): one
            for name, one in [*definitions.measures.items(), *definitions.kpis.items()]
        }
        self._take(
            [
                self._fetched(DEFINITIONS.name, key, encode_definition(DefinitionRecord(1, one)))
                for key, one in own.items()
            ]
        )
        replay = Replay(BUSINESS, definitions=definitions)
        replay.feed(self.events)
        self.tell(
            structs.replace(record, revision=record.revision + 1)
            for record in replay.records(self.clock)
            if record.scope == "company"
        )

    def retire(self, goal: str) -> None:
        """Have the view read that there is no such goal any more."""
        self._take([self._fetched(GOALS.name, goal, None)])

    def _take(self, fetched: list[Fetched]) -> None:
        changes = self.view.apply(fetched, self.clock)
        self.in_server(lambda: self.hub.publish(changes))

    async def _acknowledge(self, ack: Ack) -> None:
        # As if it had gone through Kafka: it is told on a thread, as by whoever reads there.
        await asyncio.to_thread(self.tell, acks=[ack])

    def in_server(self, step: Callable[[], None]) -> None:
        """Do something where the server runs, and wait for it."""
        if self.loop is None:
            step()
            return

        async def there() -> None:
            step()

        asyncio.run_coroutine_threadsafe(there(), self.loop).result()

    async def run(self) -> None:
        """Be there as long as the server is."""
        self.loop = asyncio.get_running_loop()
        try:
            await asyncio.Event().wait()
        finally:
            self.loop = None

    async def _change_goals(self, make: MakeVersions) -> None:
        versions = make(self.history)
        for version in versions:
            self.history.take(version)
        fetched = [
            self._fetched(GOALS_HISTORY.name, version.id, encode_version(version)) for version in versions
        ]
        fetched += [
            self._fetched(GOALS.name, version.id, encode_goal(version.goal) if version.goal else None)
            for version in versions
        ]
        await asyncio.to_thread(self._take, fetched)

    def _fetched(self, topic: str, key: str, value: bytes | None) -> Fetched:
        return Fetched(topic, 0, next(self._offsets), key, value, 0)


def furnished(view: View, floor: Floor, start: date, clock: datetime) -> Office:
    """The office of a floor that began on one day, as it is at one instant."""
    office = Office(view, clock)
    told = [e for e in events(floor, start, clock.date() + timedelta(days=1)) if e.time <= clock]
    replay = Replay(BUSINESS)
    replay.feed(told)
    office.events = told
    office.tell(records=(r for r in replay.records(clock) if not r.scope.startswith("customer:")))
    office.tell(told=(event for event in told if event.topic in {"crm.deals", "crm.org"}))
    return office


class Server:
    """A web server in a thread of its own, which can be stopped and started again at the same place."""

    def __init__(self, office: Office, door: Door | None = None) -> None:
        self._office = office
        self.door = door
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self._serving: tuple[uvicorn.Server, threading.Thread] | None = None

    def start(self) -> None:
        office = self._office
        app = build_app(office.view, office.hub, office.heartbeat, office.run, self.door, office.desk)
        config = uvicorn.Config(
            app, port=self.port, log_level="critical", timeout_graceful_shutdown=0, lifespan="on"
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        self._serving = server, thread
        while not server.started or office.loop is None:
            assert thread.is_alive()
            time.sleep(0.01)

    def stop(self) -> None:
        assert self._serving is not None
        server, thread = self._serving
        server.should_exit = True
        thread.join()
        self._serving = None


@contextmanager
def serving(office: Office, door: Door | None = None) -> Iterator[Server]:
    """A running server."""
    server = Server(office, door)
    server.start()
    try:
        yield server
    finally:
        server.stop()
