"""Every topic, declared once: what it means, how it is keyed, who writes and reads it, how long it is kept.

Set-up, documentation and tests are made from this list.
"""

from enum import StrEnum

from msgspec import Struct

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS

TABLE_OBJECTS = "objects"
TABLE_SCORECARDS = "scorecards"
TABLE_STANDINGS = "standings"


class Kept(StrEnum):
    """How long a topic's records stay."""

    FOR_GOOD = "for good"
    AS_SET = "for good, or as many days as MALVAKT_RAW_DAYS says"
    AS_SET_AND_LARGE = "likewise, up to 8 MB a record"
    LATEST_BY_KEY = "the latest by key"
    UNTIL_READ = "until read"


class Topic(Struct, frozen=True):
    """One topic's declaration."""

    name: str
    meaning: str
    key: str
    written_by: str
    read_by: str
    kept: Kept

    @property
    def is_raw(self) -> bool:
        """Whether it holds raw detail, which may be kept for so many days only."""
        return self.kept in {Kept.AS_SET, Kept.AS_SET_AND_LARGE}

    def config(self, raw_days: int = 0) -> dict[str, str]:
        """The topic's settings on the broker, where raw detail is kept for so many days; 0 is for good."""
        match self.kept:
            case Kept.FOR_GOOD:
                return {"retention.ms": "-1"}
            case Kept.AS_SET:
                return _for_days(raw_days)
            case Kept.AS_SET_AND_LARGE:
                # What the broker once accepted compressed may be larger as we compress it, and has headers.
                return {**_for_days(raw_days), "max.message.bytes": str(8 * 1024 * 1024)}
            case Kept.LATEST_BY_KEY:
                # A paused worker that wakes up late may write an old version after a newer one.
                # Readers keep the highest, so the newer one must not be compacted away at once.
                return {"cleanup.policy": "compact", "min.compaction.lag.ms": str(HOUR_MS)}
            case Kept.UNTIL_READ:
                # Never by age: their records carry the time of what they tell, which may be long ago, and
                # a worker that was away for a month must still find them (`streams.trimming`).
                return {"retention.ms": "-1"}


def _for_days(days: int) -> dict[str, str]:
    if not days:
        return {"retention.ms": "-1"}
    # From when a record came in: a producer may state the time of what it tells, which may be long ago.
    return {"retention.ms": str(days * DAY_MS), "message.timestamp.type": "LogAppendTime"}


CRM = "CRM, import, emit"

CRM_TOPICS = [
    Topic("crm.leads", "Leads: created, qualified, …", "lead", CRM, "ledger", Kept.AS_SET),
    Topic(
        "crm.activities",
        "Calls, meetings, quotes, …",
        "customer, else lead, else activity",
        CRM,
        "ledger",
        Kept.AS_SET,
    ),
    Topic("crm.deals", "Deals and customers", "customer", CRM, "ledger", Kept.AS_SET),
    Topic("crm.costs", "What selling costs", "cost", CRM, "ledger", Kept.AS_SET),
    Topic(
        "crm.org",
        "Teams and rates, in every partition",
        "seller or currency",
        CRM,
        "ledger",
        Kept.FOR_GOOD,
    ),
]

LINKS = Topic(
    "crm.links",
    "What homes tell each other of leads",
    "lead",
    "ledger",
    "ledger",
    Kept.UNTIL_READ,
)
REJECTED = Topic(
    "crm.rejected",
    "Records that are no valid events, with the reason in headers",
    "topic/partition/offset",
    "ledger",
    "people",
    Kept.AS_SET_AND_LARGE,
)
PARTIALS = Topic(
    "kpi.partials",
    "A source partition's absolute tallies, and under which definitions all its history is counted",
    "scope; none for what is on every partition",
    "ledger",
    "scorecard",
    Kept.UNTIL_READ,
)
DEFINITIONS = Topic(
    "definitions",
    "An organisation's own measures and KPIs, in every partition",
    "measures/NAME or kpis/NAME",
    "malvakt definitions",
    "ledger",
    Kept.LATEST_BY_KEY,
)
TICKS = Topic(
    "ticks",
    "What time it is: with it windows close, and goals slip",
    "none, on every partition",
    "a worker",
    "scorecard",
    Kept.UNTIL_READ,
)
SCORECARDS = Topic(
    "kpi.scorecards",
    "The KPI records",
    "scope|grain|start",
    "scorecard",
    "walls, services",
    Kept.LATEST_BY_KEY,
)

RENEWED = Topic(
    "kpi.renewed",
    "That figures of a partition's scopes are published, and by which clock",
    "none",
    "scorecard",
    "goals agent",
    Kept.UNTIL_READ,
)
GOALS_HISTORY = Topic(
    "goals.history",
    "Every version of every goal; of two with one number the first holds",
    "goal",
    "malvakt goals, walls",
    "malvakt goals, walls",
    Kept.FOR_GOOD,
)
GOALS = Topic(
    "goals",
    "The goals that hold, in every partition; null retires one",
    "goal",
    "malvakt goals, after goals.history has it",
    "goals agent, walls",
    Kept.LATEST_BY_KEY,
)
GOAL_STATUS = Topic(
    "goal.status",
    "Where each goal stands in each of its periods",
    "goal|start",
    "goals agent",
    "walls, services",
    Kept.LATEST_BY_KEY,
)
ALERTS = Topic(
    "kpi.alerts",
    "What a person should hear of",
    "goal",
    "goals agent",
    "malvakt notify, walls",
    Kept.FOR_GOOD,
)
ACKS = Topic(
    "alert.acks",
    "Who sees to which alert",
    "alert",
    "malvakt alerts, walls",
    "malvakt notify, walls",
    Kept.LATEST_BY_KEY,
)
DELIVERIES = Topic(
    "alert.deliveries",
    "Which address has been told of what; its partitions share the addresses among notifiers",
    "address, or address|stage|alert",
    "malvakt notify",
    "malvakt notify",
    Kept.LATEST_BY_KEY,
)

INTERNAL = frozenset({LINKS.name, PARTIALS.name, TICKS.name, RENEWED.name})
"""Topics that one installation's agents talk over: each has its own, named after it."""

TOPICS = [
    *CRM_TOPICS,
    DEFINITIONS,
    LINKS,
    REJECTED,
    PARTIALS,
    TICKS,
    SCORECARDS,
    RENEWED,
    GOALS_HISTORY,
    GOALS,
    GOAL_STATUS,
    ALERTS,
    ACKS,
    DELIVERIES,
]

LEDGER_TOPICS = [*(topic.name for topic in CRM_TOPICS), DEFINITIONS.name, LINKS.name]
"""What the ledger agent reads."""

SCORECARD_TOPICS = [PARTIALS.name, TICKS.name]
"""What the scorecard agent reads."""

GOALS_TOPICS = [GOALS.name, RENEWED.name]
"""What the goals agent reads."""


def founding(app_id: str) -> Topic:
    """The topic that holds how an installation counts."""
    return Topic(
        f"{app_id}-founding",
        "How this installation counts, as its first worker found it told",
        "app id",
        "the first worker",
        "every worker",
        Kept.FOR_GOOD,
    )


def changelog(app_id: str, table: str) -> Topic:
    """The changelog of a table, under the name Faust gives it."""
    return Topic(
        f"{app_id}-{table}-changelog",
        f"The rows of the table `{table}`",
        "row",
        table,
        "recovery",
        Kept.LATEST_BY_KEY,
    )
