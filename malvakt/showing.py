"""KPI records as a table for a person at a terminal."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from schemas.records import Figure, KpiRecord

COLUMNS = {
    "new_leads": "new leads",
    "qualified_leads": "qualified",
    "meetings_booked": "meetings",
    "quotes_sent": "quotes",
    "deals_closed": "decided",
    "revenue": "revenue",
    "average_deal_value": "average deal",
    "win_rate": "win rate",
    "hit_rate": "hit rate",
    "sales_cycle_days": "cycle, days",
}
RATIOS = frozenset({"win_rate", "hit_rate"})


def show_records(records: Sequence[KpiRecord]) -> None:
    """Print a table with a row a record."""
    table = Table()
    for name in ("scope", "grain", "from"):
        table.add_column(name)
    for heading in COLUMNS.values():
        table.add_column(heading, justify="right")
    for record in records:
        figures = (figure(record, name) for name in COLUMNS)
        table.add_row(plain(record.scope), record.grain, record.start.isoformat(), *figures)
    Console().print(table)


def plain(identifier: str) -> Text:
    """An identifier as it is: no markup, no emoji, and nothing that a terminal would obey."""
    return Text(
        "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in identifier)
    )


def figure(record: KpiRecord | None, kpi: str) -> str:
    """A KPI of a record as a person reads it; a dash where there is none."""
    value: Figure = None if record is None else record.kpis.get(kpi)
    if value is None:
        return "–"
    if isinstance(value, str):
        whole, _, minor = value.removeprefix("-").partition(".")
        sign = "-" if value.startswith("-") else ""
        grouped = sign + f"{int(whole):,}".replace(",", " ")
        return f"{grouped}.{minor}" if minor.strip("0") else grouped
    if isinstance(value, float):
        return f"{value:.0%}" if kpi in RATIOS else f"{value:.1f}"
    return str(value)
