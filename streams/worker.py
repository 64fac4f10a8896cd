"""The Faust app of a worker: its tables, its topics and how batches reach the agents.

It knows Faust so that the agents need not: an agent is a function from what was fetched to its
effects, registered here by name.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable, Mapping
from typing import Any, NamedTuple

import faust
import structlog
from aiokafka.errors import KafkaConnectionError
from faust.auth import Credentials, SASLCredentials, SSLCredentials
from faust.serializers.schemas import Schema
from faust.types import AppT
from faust.types.tuples import Message

from goals.watching import WATCH_ROWS, WatchRow
from schemas.internal import SCORECARD_ROWS, ScorecardRow
from schemas.packing import Packing
from schemas.rows import ROWS, Row
from schemas.topics import (
    CRM_TOPICS,
    GOALS_TOPICS,
    INTERNAL,
    LEDGER_TOPICS,
    SCORECARD_TOPICS,
    TABLE_OBJECTS,
    TABLE_SCORECARDS,
    TABLE_STANDINGS,
    changelog,
)
from streams import metrics
from streams.access import WITH_USERS, Access
from streams.assigning import HoldingAssignor
from streams.data_directory import data_directory
from streams.delivery import Delivery
from streams.holding import Holds, InMemory
from streams.leaving import Leaving
from streams.recovery import Opening, Restorer, Table, Tables
from streams.settings import MEMORY, Settings
from streams.sharing import FIRST_RECORDS
from streams.tables import RowStore
from streams.ticking import FIRST, tick_for_ever
from streams.transport import Fetched
from streams.trimming import trim_for_ever

FAUST_VERSION = "0.15.3"
COMMIT_INTERVAL_S = 0.5
CONNECT_S = 1.0
REBALANCE_S = 120.0
"""How long a worker may take, when partitions change hands, to end what it has in work."""
WAITING_FETCHES = 4
"""How many fetches may queue before an agent; the transport admits fewer."""

log = structlog.get_logger(__name__)


class WrongFaustError(RuntimeError):
    """The installed Faust is not the one whose inside the transport knows."""


class MissingStoreError(RuntimeError):
    """The store that was chosen is not installed; the message says how to install it."""


class Parts(NamedTuple):
    """What an agent works with."""

    settings: Settings
    partitions: int
    delivery: Delivery
    objects: RowStore[Row]
    scorecards: RowStore[ScorecardRow]
    standings: RowStore[WatchRow]


class Agent(NamedTuple):
    """One agent: what it does with what was fetched, and the views it keeps over its table."""

    work: Callable[[Fetched], Coroutine[Any, Any, None]]
    views: Opening
    announce: Callable[[Iterable[int], int], Awaitable[None]] | None = None
    """How its readers learn that partitions have a new owner, from a term on."""
    background: Callable[[Callable[[], Iterable[int]]], Coroutine[Any, Any, None]] | None = None
    """What it does beside, given which partitions are ready at any time."""


class BatchSchema(Schema[None, Fetched]):
    """Passes on what was fetched as it is; the agents decode it, and answer for what they cannot."""

    def compile(self, app: AppT, **_: Any) -> Callable[..., Awaitable[Any]]:
        """A decoder that decodes nothing."""

        async def decode(message: Message, *, propagate: bool = False) -> Any:  # noqa: ARG001
            return app.create_event(None, message.value, message.headers, message)

        return decode


class WorkerApp(faust.App):
    """A Faust app whose topics arrive in batches, and whose effects go out through a delivery."""

    batched_topics: dict[str, str]
    """The group of each batched topic: topics of a group share an agent, and fetches."""
    delivery: Delivery
    rests: Mapping[str, float]
    """How long a group rests after a batch, as a share of the time that the batch took."""
    followers: Mapping[str, str]
    """By group: the one that reads what it writes."""
    in_step: Collection[str]
    """The topics that tell of the same time, and are read in step when behind."""
    restorer: Restorer
    leaving: Leaving
    stores: list[RowStore[Any]]
    first_term: int
    made: Mapping[str, Agent]
    trimming: Coroutine[Any, Any, None]
    ticking: Coroutine[Any, Any, None]

    def least_term(self) -> int:
        """The lowest term that may be begun now: it grows with every rebalance of the group."""
        return self.first_term + self.consumer_generation_id

    def begin_no_lower(self, term: int) -> None:
        """Terms below this one have been in use: none may be begun again."""
        self.first_term += max(0, term - self.least_term())

    async def announce(self, partitions: Iterable[int]) -> None:
        """Tell all readers that partitions have a new owner."""
        for agent in self.made.values():
            if agent.announce is not None:
                await agent.announce(partitions, self.least_term())

    def taken_in(self) -> dict[int, int]:
        """How much of its tables is taken in here, by partition."""
        much: Counter[int] = Counter()
        for store in self.stores:
            much.update(store.taken_in())
        return dict(much)

    def on_ready(self) -> None:
        """A partition became ready: there may be something to fetch."""
        consumer: Any = self.consumer
        consumer.wake()

    def _create_directories(self) -> None:
        """None: rows are in memory, and nothing is written to where a worker happens to start."""

    async def on_start(self) -> None:
        """Connect the delivery before any agent can have something to deliver."""
        while True:
            try:
                await self.delivery.start()
                break
            except KafkaConnectionError as error:
                # It answered a moment ago, when the topics were looked at.
                log.warning("waiting for the broker", error=str(error))
                await asyncio.sleep(CONNECT_S)
        await super().on_start()
        self.add_future(self.trimming)
        self.add_future(self.ticking)
        for agent in self.made.values():
            if agent.background is not None:
                self.add_future(agent.background(lambda: self.restorer.ready))

    async def on_stop(self) -> None:
        """Have the agents end what is in work, or give it up; Faust waits until they have.

        What is being recovered is left as it is: nobody works on it here, and its table is about to close.
        """
        await self.restorer.pause()
        leaving = asyncio.create_task(self.leaving.leave())
        await super().on_stop()
        await leaving

    async def on_shutdown(self) -> None:
        """Disconnect it once the agents have stopped, and let go of all partitions."""
        await super().on_shutdown()
        # A rebalance that was under way may have begun to recover again.
        await self.restorer.pause()
        await self.delivery.stop()
        for store in self.stores:
            store.reset_state()


def build_app(
    settings: Settings, partitions: int, first_term: int, agents: Callable[[Parts], dict[str, Agent]]
) -> WorkerApp:
    """The app of one worker.

    `agents` gives, for the tables and connections they work with, the agents `ledger`,
    `scorecard` and `goals`.
    `first_term` is where the installation's terms begin.

    Raises:
        WrongFaustError: another Faust than the pinned one is installed.
        MissingStoreError: the store that was chosen is not installed.
        DataDirectoryError: the worker cannot have its directory.
    """
    if faust.__version__ != FAUST_VERSION:
        raise WrongFaustError(
            f"faust-streaming {faust.__version__} is installed; transport, recovery and more override"
            f" private methods of {FAUST_VERSION}. Install that version, or check streams/transport.py,"
            " streams/recovery.py, streams/tables.py and streams/assigning.py against the new one and move"
            " the pin."
        )
    app = WorkerApp(
        settings.app_id,
        broker=[f"malvakt://{address}" for address in settings.broker.split(",")],
        broker_credentials=_credentials(settings),
        processing_guarantee="at_least_once",
        topic_allow_declare=False,
        topic_disable_leader=True,
        topic_partitions=partitions,
        table_standby_replicas=0,
        stream_recovery_delay=0.0,
        stream_wait_empty=True,
        stream_buffer_maxsize=WAITING_FETCHES,
        consumer_auto_offset_reset="earliest",
        broker_commit_interval=COMMIT_INTERVAL_S,
        broker_max_poll_records=FIRST_RECORDS,
        broker_session_timeout=settings.session_timeout_s,
        broker_rebalance_timeout=REBALANCE_S,
        broker_heartbeat_interval=settings.session_timeout_s / 10,
        broker_request_timeout=max(90.0, settings.session_timeout_s),
        TableManager=Tables,
        PartitionAssignor=HoldingAssignor,
        web_enabled=False,
        worker_redirect_stdouts=False,
    )
    groups = {
        "ledger": [settings.topic(name) for name in LEDGER_TOPICS],
        "scorecard": [settings.topic(name) for name in SCORECARD_TOPICS],
        "goals": [settings.topic(name) for name in GOALS_TOPICS],
    }
    app.batched_topics = {topic: group for group, topics in groups.items() for topic in topics}
    app.rests = {"scorecard": 3.0, "goals": 3.0}
    app.followers = {"ledger": "scorecard"}
    app.in_step = {settings.topic(topic.name) for topic in CRM_TOPICS}
    app.delivery = Delivery(settings)
    app.leaving = Leaving()
    holds = holds_of(settings, first_term)
    objects: RowStore[Row] = _table(app, TABLE_OBJECTS, partitions, ROWS, holds)
    scorecards: RowStore[ScorecardRow] = _table(app, TABLE_SCORECARDS, partitions, SCORECARD_ROWS, holds)
    standings: RowStore[WatchRow] = _table(app, TABLE_STANDINGS, partitions, WATCH_ROWS, holds)
    app.stores = [objects, scorecards, standings]
    made = agents(Parts(settings, partitions, app.delivery, objects, scorecards, standings))
    tables = [
        Table(objects, made["ledger"].views),
        Table(scorecards, made["scorecard"].views),
        Table(standings, made["goals"].views),
    ]
    app.first_term = first_term
    app.made = made
    app.trimming = trim_for_ever(settings, [settings.topic(name) for name in INTERNAL], partitions)
    app.ticking = tick_for_ever(settings, app.delivery, lambda: FIRST in app.restorer.ready)
    app.restorer = Restorer(settings, tables, app)
    for name, agent in made.items():
        _register(app, name, groups[name], agent.work)
    return app


def holds_of(settings: Settings, first_term: int) -> Holds:
    """How the partitions of a worker's tables are held.

    Raises:
        MissingStoreError: the store that was chosen is not installed.
        DataDirectoryError: the worker cannot have its directory.
    """
    if settings.store == MEMORY:
        return lambda _name, _changelog: InMemory
    try:
        from streams.rocks import Rocks  # noqa: PLC0415
    except ImportError as error:
        raise MissingStoreError(
            "MALVAKT_STORE=rocksdb needs rocksdict, which is not installed: pip install 'malvakt[rocksdb]'."
        ) from error
    return Rocks(data_directory(settings), settings.rocksdb_cache_mb, first_term).table


def _credentials(access: Access) -> Credentials | None:
    """Who we are, as Faust wants to be told for all of its clients."""
    context = access.ssl_context()
    if access.security_protocol in WITH_USERS:
        # Whether it is over TLS Faust tells by the context alone.
        return SASLCredentials(
            username=access.sasl_user,
            password=access.password(),
            mechanism=access.sasl_mechanism,
            ssl_context=context,
        )
    return None if context is None else SSLCredentials(context)


def _table(
    app: WorkerApp, name: str, partitions: int, packing: Packing[Any], holds: Holds
) -> RowStore[Any]:
    log_name = changelog(str(app.conf.id), name).name
    table: Any = app.Table(
        name,
        partitions=partitions,
        store="malvakt://rows",
        schema=BatchSchema(),
        options={"packing": packing, "changelog": log_name, "hold": holds(name, log_name)},
    )
    store = table.data
    assert isinstance(store, RowStore)
    rows: RowStore[Any] = store
    metrics.ROWS.labels(name).set_function(rows.held)
    return rows


def _register(
    app: WorkerApp, name: str, topics: list[str], work: Callable[[Fetched], Coroutine[Any, Any, None]]
) -> None:
    channel = app.topic(*topics, schema=BatchSchema(), maxsize=WAITING_FETCHES)

    async def agent(stream: Any) -> None:
        async for event in stream.noack().events():
            try:
                await app.leaving.unless_given_up(work(event.value))
            except Exception as error:
                # Acknowledging nothing and stopping is what makes the batch come again, whole.
                log.exception("the agent failed; the worker stops", agent=name)
                await app.crash(error)
                raise
            event.ack()

    app.agent(channel, name=name, concurrency=1)(agent)
