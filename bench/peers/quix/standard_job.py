"""The standard job on Quix Streams: the same work as Målvakt's, as one writes it with Quix.

Each deal becomes a sale for each of its four scopes, re-keyed by scope; there a row of state for each
calendar window is added to, and what it amounts to is published. Runs in an environment of its own,
and knows nothing of Målvakt.
"""

import os
import struct
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from quixstreams import Application, State

ZONE = ZoneInfo("Europe/Stockholm")
TEAMS = 20
ROW = struct.Struct("<qq")
"""Deals won, and their value in hundredths."""

Sale = tuple[str, str, int]
"""Scope, local day and value in hundredths; travels as a JSON array."""


class Window(NamedTuple):
    """A calendar window."""

    grain: str
    start: str
    key: str


def main() -> None:
    """Work until told to stop."""
    app = Application(
        broker_address=os.environ["BROKER"],
        consumer_group=os.environ["GROUP"],
        auto_offset_reset="earliest",
        processing_guarantee="at-least-once",
        commit_interval=1.0,
        state_dir=os.environ["STATE_DIR"],
        producer_extra_config={"compression.type": "lz4"},
        loglevel="WARNING",
    )
    deals = app.topic(os.environ["INPUT"], key_deserializer="str", value_deserializer="json")
    totals = app.topic(os.environ["OUTPUT"], key_serializer="str", value_serializer="json")
    sales = app.dataframe(deals).apply(by_scope, expand=True)
    sales = sales.group_by(
        lambda sale: sale[0], name="by-scope", key_serializer="str", key_deserializer="str"
    )
    sales.apply(add, stateful=True, expand=True).to_topic(totals, key=key_of)
    app.run()


def by_scope(event: dict[str, Any]) -> list[Sale]:
    """A deal's share in each of its scopes."""
    if event["type"] != "deal.won":
        return []
    data = event["data"]
    seller = data["seller"]
    day = datetime.fromisoformat(event["time"]).astimezone(ZONE).date().isoformat()
    whole, _, hundredths = data["value"].partition(".")
    minor = int(whole) * 100 + int(hundredths.ljust(2, "0"))
    team = int(seller.removeprefix("s")) % TEAMS
    scopes = ("company", f"team:t{team}", f"seller:{seller}", f"customer:{data['customer']}")
    return [(scope, day, minor) for scope in scopes]


def add(sale: Sale, state: State) -> Iterator[dict[str, Any]]:
    """Add a sale to each window of its scope; what they amount to now."""
    scope, day, minor = sale
    for window in windows(day):
        row = state.get_bytes(window.key)
        deals, revenue = ROW.unpack(row) if row else (0, 0)
        deals += 1
        revenue += minor
        state.set_bytes(window.key, ROW.pack(deals, revenue))
        yield {
            "scope": scope,
            "grain": window.grain,
            "start": window.start,
            "deals_won": deals,
            "revenue": revenue,
        }


def key_of(total: dict[str, Any]) -> str:
    """The key of a window's total."""
    return f"{total['scope']}|{total['grain']}|{total['start']}"


@cache
def windows(day: str) -> list[Window]:
    """The calendar windows that hold a day."""
    at = date.fromisoformat(day)
    starts = {
        "day": at,
        "week": at - timedelta(days=at.weekday()),
        "month": at.replace(day=1),
        "quarter": at.replace(month=(at.month - 1) // 3 * 3 + 1, day=1),
        "year": at.replace(month=1, day=1),
    }
    return [Window(grain, str(start), f"{grain}|{start}") for grain, start in starts.items()]


if __name__ == "__main__":
    main()
