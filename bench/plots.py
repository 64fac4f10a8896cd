"""`./run bench plots`: from results to the plots of docs/performance.md and docs/forecast.md."""

from pathlib import Path
from statistics import median
from typing import Any

import msgspec
import pygal
from pygal.style import Style

from malvakt.outcome import CallError

STYLE = Style(
    background="white",
    plot_background="white",
    colors=("#1f6f8b", "#e07a5f", "#81b29a", "#b08968"),
    font_family="sans-serif",
    label_font_size=13,
    major_label_font_size=13,
    legend_font_size=13,
    title_font_size=16,
    value_font_size=12,
)


def plots(results: Path, to: Path = Path("docs/performance")) -> None:
    """Draw what `--json` of the other benchmarks wrote.

    Parameters
    ----------
    results
        A folder with throughput.json, latency.json, handover.json and growth.json, or some of them;
        and with forecast-NAME.json, as `malvakt goals backtest --json` wrote them.
    to
        The folder for the plots.
    """
    drawing = {
        "throughput": _throughput,
        "latency": _latency,
        "handover": _handover,
        "growth": _growth,
    }
    found = {name: results / f"{name}.json" for name in drawing if (results / f"{name}.json").exists()}
    backtests = {path.stem.removeprefix("forecast-"): path for path in results.glob("forecast-*.json")}
    if not found and not backtests:
        raise CallError(
            f"{results} holds none of {', '.join(f'{name}.json' for name in drawing)}, forecast-NAME.json."
        )
    to.mkdir(parents=True, exist_ok=True)
    for name, path in found.items():
        chart = drawing[name](msgspec.json.decode(path.read_bytes()))
        (to / f"{name}.svg").write_text(chart.render(is_unicode=True), encoding="utf-8")
    if backtests:
        chart = _forecast(
            {name: msgspec.json.decode(path.read_bytes()) for name, path in backtests.items()}
        )
        (to / "forecast.svg").write_text(chart.render(is_unicode=True), encoding="utf-8")


def _chart(kind: type[Any], title: str, **options: Any) -> Any:
    return kind(
        title=title,
        style=STYLE,
        width=760,
        height=360,
        print_values=True,
        show_y_guides=True,
        disable_xml_declaration=True,
        js=(),
        **options,
    )


def _throughput(report: dict[str, Any]) -> Any:
    rates: dict[str, list[float]] = {}
    for result in report["results"]:
        label = f"{result['contender']}, {result['workers']}"
        rate = (result["events"] - result["first_done"]) / result["seconds"]
        rates.setdefault(label, []).append(rate)
    chart = _chart(
        pygal.HorizontalBar, "The standard job, events/s (contender, workers)", show_legend=False
    )
    chart.x_labels = list(rates)
    chart.add("events/s", [round(median(found)) for found in rates.values()])
    return chart


def _latency(report: dict[str, Any]) -> Any:
    chart = _chart(pygal.Bar, "Event produced to KPI record readable, ms")
    chart.x_labels = [f"{one['rate']:,} events/s" for one in report["latency"]]
    for quantile in ("p50", "p90", "p99"):
        chart.add(quantile, [one[f"{quantile}_ms"] for one in report["latency"]])
    return chart


def _handover(report: dict[str, Any]) -> Any:
    changes = report["handover"]["changes"]
    chart = _chart(pygal.Bar, "Longest stand-still of a partition, s")
    chart.x_labels = [change["what"] for change in changes]
    chart.add("stays", [max(change["stayed_s"]) for change in changes])
    chart.add("moves", [max(change["moved_s"]) for change in changes])
    return chart


def _growth(report: dict[str, Any]) -> Any:
    runs = report["growth"][:-1]
    chart = _chart(pygal.Bar, "Processor time an event as sellers grow, µs", show_legend=False)
    chart.x_labels = [f"{run['sellers']:,} sellers" for run in runs]
    chart.add("µs", [run["cpu_us"] for run in runs])
    return chart


def _forecast(backtests: dict[str, dict[str, Any]]) -> Any:
    chart = _chart(
        pygal.XY,
        "Goals reached, of those said to be reached so likely, %",
        range=(0, 100),
        xrange=(0, 100),
        x_title="said",
        legend_at_bottom=True,
    )
    chart.config.print_values = False
    chart.config.height = 560
    for name in sorted(backtests):
        table = backtests[name]["calibration"]["forecast"]
        chart.add(
            name, [(round(100 * one["predicted"], 1), round(100 * one["reached"], 1)) for one in table]
        )
    chart.add("as said", [(0, 0), (100, 100)], stroke_style={"dasharray": "4, 6"}, show_dots=False)
    return chart
