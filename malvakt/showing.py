"""KPI records as a table for a person at a terminal."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

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


def records_table(records: Sequence[KpiRecord], title: str | None = None) -> Table:
    """A table with a row a record."""
    table = Table(title=title)
    for name in ("scope", "grain", "from"):
        table.add_column(name)
    for heading in COLUMNS.values():
        table.add_column(heading, justify="right")
    for record in records:
        figures = (_figure(name, record.kpis.get(name)) for name in COLUMNS)
        table.add_row(record.scope, record.grain, record.start.isoformat(), *figures)
    return table


def show_records(records: Sequence[KpiRecord]) -> None:
    """Print a table of records."""
    Console().print(records_table(records))


def _figure(name: str, value: Figure) -> str:
    if value is None:
        return "–"
    if isinstance(value, str):
        return f"{value[:-3] if value.endswith('.00') else value}"
    if isinstance(value, float):
        return f"{value:.1%}" if name in RATIOS else f"{value:.1f}"
    return str(value)
