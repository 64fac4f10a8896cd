"""Own measures in a running system: counted over all history while all goes on, then in use at once."""

import asyncio
import contextlib
from datetime import date
from itertools import islice
from typing import Any

import msgspec

from schemas.decoding import own_fields
from schemas.definitions import DefinitionRecord, Definitions, KpiDefinition, MeasureDefinition
from schemas.events import Event, Recorded, Told, encode_event, type_of
from schemas.records import KpiRecord
from schemas.topics import SCORECARDS
from simulation.floor import Floor, events
from streams.defining import define
from streams.delivery import Delivery
from streams.reading import follow, read_scorecards, record_of
from tests.agents.pipeline import Pipeline, figures, pipeline, replayed

FLOOR = Floor(sellers=6, seed=11, leads_per_seller_per_day=3.0)
IN_USE_S = 180.0
DEFINITIONS = Definitions(
    {
        "demos": MeasureDefinition(
            event="activity.logged", where={"kind": ("meeting_booked",), "campaign": ("demo",)}
        ),
        "big_wins": MeasureDefinition(event="deal.won", count="sum value"),
    },
    {
        "demo_rate": KpiDefinition(
            formula="demos / contacts", unit="ratio", better="higher", name={"en": "Demo rate"}
        )
    },
)


def recorded(event: Event, number: int) -> Recorded:
    """As a CRM might send it that says of every other activity which campaign it was for."""
    raw = msgspec.json.decode(encode_event(event))
    if type_of(event) == "activity.logged" and number % 2:
        raw["data"]["campaign"] = "demo"
    return Recorded(event, msgspec.json.encode(raw))


def told(each: Recorded) -> Event | Told:
    if type_of(each.event) != "activity.logged":
        return each.event
    return Told(each.event, own_fields(each.raw, ["campaign"]))


async def _defined(running: Pipeline) -> None:
    named = {
        **{f"measures/{name}": one for name, one in DEFINITIONS.measures.items()},
        **{f"kpis/{name}": one for name, one in DEFINITIONS.kpis.items()},
    }
    async with Delivery(running.settings) as delivery:
        records = {key: DefinitionRecord(1, one) for key, one in named.items()}
        await define(running.settings, delivery, records)


async def _listen(running: Pipeline, heard: list[KpiRecord]) -> None:
    async for batch in follow(running.settings, SCORECARDS.name, record_of):
        heard.extend(batch)


async def _in_use(running: Pipeline) -> None:
    """Wait until every record shows it: but for those of windows that count nothing any more."""
    async with asyncio.timeout(IN_USE_S):
        while True:
            await running.settled()
            found = await read_scorecards(running.settings)
            if all("demo_rate" in record.kpis for record in found.values() if record.measures):
                return


def test_a_measure_that_is_defined_under_load_is_right_from_the_first_record_that_shows_it(
    kafka_address: str,
) -> None:
    """And equal in the end to a replay that had the definition from the start."""

    async def run() -> None:
        stream = (recorded(event, number) for number, event in enumerate(events(FLOOR, date(2026, 1, 1))))
        before, after = list(islice(stream, 3_000)), list(islice(stream, 2_000))
        heard: list[KpiRecord] = []
        async with pipeline(kafka_address, partitions=4) as running:
            running.start_worker()
            running.start_worker()
            await running.publish(before)
            await running.settled()
            listening = asyncio.create_task(_listen(running, heard))
            await _defined(running)
            await running.publish(after)
            await _in_use(running)
            listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await listening
            found = await read_scorecards(running.settings)
            right = replayed(map(told, [*before, *after]), running.settings, DEFINITIONS)
            assert figures(found, running.settings.business()) == right
            _never_wrong(heard, right, min(each.event.time for each in after).date())

    asyncio.run(run())


def _never_wrong(heard: list[KpiRecord], right: list[tuple[Any, ...]], since: date) -> None:
    """Of days that nothing new was told of, each record shows all of what is defined, or nothing."""
    final = {key: measures for key, _, measures, _ in right}
    showing = 0
    for record in heard:
        measures = final.get(record.key, {})
        if record.grain == "day" and record.start < since and "demo_rate" in record.kpis:
            showing += "demos" in record.measures
            if "big_wins" in record.measures and "deals_won" in record.measures:
                assert record.measures.get("demos") == measures.get("demos"), record
    assert showing, "some of them do"
