"""Comparing what the workers left with what the same machine counts in one process and without faults."""

from collections.abc import Iterable, Mapping
from itertools import islice

from msgspec import Struct

from kpis.contributions import Business
from kpis.replay import BATCH_EVENTS, Replay
from malvakt.progress import Advance
from schemas.events import Event
from schemas.records import Figure, KpiRecord
from tests.agents.pipeline import NOW, figures

Figures = dict[str, dict[str, Figure]]


class Difference(Struct, frozen=True):
    """A record that is wrong: what was found, and what is right; `None` where there is none."""

    key: str
    found: Figures | None
    right: Figures | None

    def __str__(self) -> str:
        return f"{self.key}\n  found {self.found}\n  right {self.right}"


class Comparison(Struct, frozen=True):
    """Every key of both."""

    compared: int
    wrong: list[Difference]


def counted(events: Iterable[Event], business: Business, advance: Advance) -> dict[str, KpiRecord]:
    """The records that a replay gives."""
    replay = Replay(business)
    iterator = iter(events)
    while batch := list(islice(iterator, BATCH_EVENTS)):
        replay.feed(batch)
        advance(len(batch))
    return {record.key: record for record in replay.records(NOW)}


def compare(
    found: Mapping[str, KpiRecord], right: Mapping[str, KpiRecord], business: Business
) -> Comparison:
    """Every key, its measures and KPIs."""
    ours, theirs = _by_key(found, business), _by_key(right, business)
    keys = sorted(ours.keys() | theirs.keys())
    wrong = [
        Difference(key, ours.get(key), theirs.get(key)) for key in keys if ours.get(key) != theirs.get(key)
    ]
    return Comparison(len(keys), wrong)


def _by_key(records: Mapping[str, KpiRecord], business: Business) -> dict[str, Figures]:
    return {
        key: {"measures": measures, "kpis": kpis} for key, _, measures, kpis in figures(records, business)
    }
