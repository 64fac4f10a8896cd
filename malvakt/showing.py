"""KPI records as a table for a person at a terminal."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from schemas.records import Figure, KpiRecord

COLUMNS = {
    "new_leads": "new\nleads",
    "qualified_leads": "quali-\nfied",
    "meetings_booked": "meet-\nings",
    "quotes_sent": "\nquotes",
    "deals_closed": "deci-\nded",
    "revenue": "\nrevenue",
    "average_deal_value": "average\ndeal",
    "win_rate": "win\nrate",
    "hit_rate": "hit\nrate",
    "sales_cycle_days": "cycle\ndays",
}
RATIOS = frozenset({"win_rate", "hit_rate"})
MEANS = frozenset({"average_deal_value", "cac"})


def show_records(records: Sequence[KpiRecord]) -> None:
    """Print a table with a row a record, and a column a KPI of which any record has something."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("\nscope", overflow="fold", min_width=12)
    table.add_column("\nwindow", no_wrap=True, min_width=10)
    shown = [name for name in COLUMNS if any(record.kpis.get(name) for record in records)]
    for name in shown:
        table.add_column(COLUMNS[name], justify="right", no_wrap=True)
    for record in records:
        figures = (figure(record, name) for name in shown)
        table.add_row(plain(record.scope), window(record), *figures)
    Console().print(table)


def window(record: KpiRecord) -> str:
    """A record's window as people write it."""
    return window_name(record.grain, record.start)


def window_name(grain: str, start: date) -> str:
    """A window as people write it: a date, 2026-W09, 2026-03, 2026-Q1, 2026, ever."""
    match grain:
        case "day":
            return start.isoformat()
        case "week":
            year, week, _ = start.isocalendar()
            return f"{year}-W{week:02d}"
        case "month":
            return f"{start:%Y-%m}"
        case "quarter":
            return f"{start.year}-Q{(start.month + 2) // 3}"
        case "year":
            return str(start.year)
        case _:
            return "ever"


def plain(identifier: str) -> Text:
    """An identifier as it is: no markup, no emoji, and nothing that a terminal would obey."""
    return Text(
        "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in identifier)
    )


def figure(record: KpiRecord | None, kpi: str) -> str:
    """A KPI of a record as a person reads it; a dash where there is none."""
    value: Figure = None if record is None else record.kpis.get(kpi)
    if isinstance(value, str) and kpi in MEANS and abs(Decimal(value)) >= 1000:
        # A mean of thousands is not read to the öre; the record has it.
        value = f"{Decimal(value):.0f}"
    return figure_text(value, ratio=kpi in RATIOS)


def figure_text(value: Figure, *, ratio: bool) -> str:
    """A figure as a person reads it; a dash where there is none."""
    if value is None:
        return "–"
    if isinstance(value, str):
        whole, _, minor = value.removeprefix("-").partition(".")
        sign = "-" if value.startswith("-") else ""
        grouped = sign + f"{int(whole):,}".replace(",", " ")
        return f"{grouped}.{minor}" if minor.strip("0") else grouped
    if isinstance(value, float):
        if ratio:
            return f"{value:.0%}"
        # Where there is less than one, its size is in the digits behind the point.
        return f"{value:.1f}" if abs(value) >= 1 or not value else f"{value:.2g}"
    return str(value)
