"""From a figure to the deals behind it, in a real Chromium."""

import csv
import re
from io import StringIO
from pathlib import Path

from playwright.sync_api import Page, Route, expect

from kpis.definitions.holding import Held
from schemas.definitions import Definitions, KpiDefinition, MeasureDefinition
from schemas.records import decode_record
from tests.wall.goals import MARCH, goal_of, standing
from tests.wall.office import Heard, Office, Server
from tests.wall.test_view import NOON
from tests.wall.visiting import CONTRASTS, Opened, first_account

ANSWERED_MS = 60_000
HEARD_MS = 15_000
"""Within which a page has heard how things stand, on a slow machine."""

OWN = Definitions(
    {
        "big_wins": MeasureDefinition(
            event="deal.won", count="sum value", name={"sv": "Stora vinster", "en": "Big wins"}
        )
    },
    {
        "mean_win": KpiDefinition(
            formula="big_wins / deals_won",
            unit="money",
            better="higher",
            name={"sv": "Snittvinst", "en": "Mean win"},
        )
    },
)


def page_of(opened: Opened, server: Server, path: str, **how: object) -> Page:
    page = first_account(opened, server, **how)  # type: ignore[arg-type]
    page.goto(f"{server.address}/manage/{path}")
    expect(page.locator("#page")).to_have_attribute("data-ready", "yes")
    return page


def digits(text: str) -> str:
    """An amount without what a language puts into it."""
    return re.sub(r"[^0-9.,-]", "", text).replace(",", ".")


def test_a_figure_leads_to_the_deals_that_add_up_to_it(
    opened: Opened, server: Server, office: Office, tmp_path: Path
) -> None:
    """From where one stands to the figure, to every deal, to a file for Excel; and back, and to a figure of
    one's own, by its own name."""
    office.define(OWN)
    march = standing("company", "revenue", MARCH, 310_000, 410_000, NOON, "at_risk", 0.8)
    office.tell(goals=[goal_of(march)], statuses=[march])
    [body] = office.view.records("company", "month", "2026-03-01", "2026-03-01")
    record = decode_record(body)
    page = page_of(opened, server, "standing", locale="sv-SE")
    page.get_by_role("row", name="Hela bolaget").get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Försäljning")
    expect(page.get_by_text("Samma siffra som på alla andra ställen")).to_be_visible(timeout=ANSWERED_MS)
    assert float(digits(page.locator(".large").inner_text())) == float(str(record.kpis["revenue"]))
    deals = page.get_by_role("table", name="Försäljning").locator("tbody").get_by_role("row")
    expect(deals).to_have_count(int(record.measures["deals_won"] or 0))
    shares = [float(digits(text)) for text in deals.locator("td:nth-child(2)").all_inner_texts()]
    assert f"{sum(shares):.2f}" == record.kpis["revenue"]
    expect(deals.first).to_contain_text("Team ")
    with page.expect_download() as saved:
        page.get_by_role("link", name="Spara som CSV").click()
    saved.value.save_as(tmp_path / "deals.csv")
    text = (tmp_path / "deals.csv").read_text("utf-8-sig")
    assert len(list(csv.DictReader(StringIO(text), delimiter=";"))) == len(shares)
    page.get_by_role("link", name="Alla siffror").click()
    expect(page.get_by_role("heading", level=2).first).to_have_text("Hela bolaget, mars")
    own = page.get_by_role("link", name=re.compile("^Snittvinst: "))
    mean = own.inner_text()
    own.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Snittvinst")
    expect(page.get_by_text("Samma siffra som på alla andra ställen")).to_be_visible(timeout=ANSWERED_MS)
    assert round(float(digits(page.locator(".large").inner_text()))) == float(digits(mean))
    expect(page.get_by_text("Räknas som Stora vinster / Vunna affärer.")).to_be_visible()
    wins = page.get_by_role("table", name="Stora vinster").locator("tbody").get_by_role("row")
    expect(wins).to_have_count(len(shares))
    expect(
        page.get_by_role("table", name="Vunna affärer").locator("tbody").get_by_role("row")
    ).to_have_count(len(shares))
    with page.expect_download() as saved:
        page.get_by_role("link", name="Spara som CSV").click()
    saved.value.save_as(tmp_path / "wins.csv")
    rows = list(csv.DictReader(StringIO((tmp_path / "wins.csv").read_text("utf-8-sig")), delimiter=";"))
    won = [float(row["share"].replace(",", ".")) for row in rows if row["sum"] == "big_wins"]
    assert f"{sum(won):.2f}" == record.measures["big_wins"]


def test_figures_of_anybody_at_any_time_with_the_keyboard(opened: Opened, server: Server) -> None:
    """What is chosen stays in the address; windows are walked through."""
    page = page_of(opened, server, "figures")
    title = page.get_by_role("heading", level=2).first
    expect(title).to_have_text("Whole company, March")
    page.get_by_role("combobox", name="Who", exact=True).select_option("seller:anna")
    page.get_by_label("Window").first.select_option("week")
    expect(title).to_have_text("Anna, week 12")
    page.get_by_role("button", name="Before").focus()
    page.keyboard.press("Enter")
    expect(title).to_have_text("Anna, week 11")
    page.get_by_role("button", name="After").click()
    page.get_by_role("button", name="After").click()
    expect(title).to_have_text("Anna, week 13")
    page.get_by_label("A day in it").fill("2020-01-08")
    expect(title).to_have_text("Anna, week 2 2020")
    expect(page.get_by_text("There are no figures here.")).to_be_visible()
    page.get_by_label("Window").first.select_option("ever")
    page.reload()
    expect(title).to_have_text("Anna, all time")
    expect(page.get_by_label("A day in it")).to_have_value("2020-01-08")
    page.get_by_label("Window").first.select_option("month")
    expect(title).to_have_text("Anna, January 2020")
    page.get_by_label("Window").first.select_option("ever")
    expect(title).to_have_text("Anna, all time")
    calls = page.get_by_role("link", name=re.compile("^Calls: "))
    count = calls.inner_text()
    calls.click()
    expect(page.locator(".large")).to_have_text(count, timeout=ANSWERED_MS)
    page.get_by_role("link", name="All figures").click()
    expect(title).to_have_text("Anna, all time")
    page.get_by_role("button", name="Before").click()
    page.get_by_label("Window").first.select_option("month")
    expect(title).to_have_text("Anna, January 2020")


def test_a_currency_that_the_server_learns_late_is_shown_and_the_keyboard_stays(
    opened: Opened, server: Server, office: Office
) -> None:
    """It began without Kafka, and this page with it."""
    page = page_of(opened, server, "figures")
    revenue = page.get_by_role("link", name=re.compile("^Revenue: "))
    expect(revenue).to_contain_text("kr")
    day = page.get_by_label("A day in it")
    day.focus()
    office.currency = "EUR"
    expect(revenue).to_contain_text("\N{EURO SIGN}", timeout=HEARD_MS)
    expect(revenue).not_to_contain_text("kr")
    expect(day).to_be_focused()


def test_an_answer_that_comes_late_does_not_take_the_place_of_what_was_chosen_last(
    opened: Opened, server: Server
) -> None:
    page = page_of(opened, server, "figures")
    title = page.get_by_role("heading", level=2).first
    held: list[Route] = []
    page.route("**/api/records?*grain=week*", lambda route: held.append(route))  # noqa: PLW0108 - Playwright marks what it is given
    window = page.get_by_label("Window").first
    window.select_option("week")
    window.select_option("year")
    expect(title).to_have_text("Whole company, 2026")
    with page.expect_response("**/api/records?*grain=week*"):
        held[0].continue_()
    page.evaluate("new Promise((done) => setTimeout(done, 200))")
    expect(title).to_have_text("Whole company, 2026")


def test_a_choice_that_cannot_be_shown_is_said(opened: Opened, server: Server) -> None:
    """Until another is made."""
    page = page_of(opened, server, "figures")
    said = page.get_by_role("status").last
    page.route("**/api/records?*", lambda route: route.abort(), times=2)
    window = page.get_by_label("Window").first
    window.select_option("week")
    expect(said).to_contain_text("The server does not answer. Try again.")
    said.get_by_role("button", name="Close").click()
    page.get_by_role("button", name="Before").click()
    expect(said).to_contain_text("The server does not answer. Try again.")
    window.select_option("year")
    expect(page.get_by_role("heading", level=2).first).to_have_text("Whole company, 2026")
    expect(said).to_be_empty()


def test_a_file_of_records_is_saved(opened: Opened, server: Server, tmp_path: Path) -> None:
    """Of one kind, from one date to another."""
    page = page_of(opened, server, "figures")
    page.get_by_label("Whose").select_option("Teams")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save the file").click()
    assert saved.value.suggested_filename == "malvakt-team-month-2026-01-01-2026-03-19.csv"
    saved.value.save_as(tmp_path / "teams.csv")
    text = (tmp_path / "teams.csv").read_text("utf-8-sig")
    assert [row["scope"] for row in csv.DictReader(StringIO(text))] == ["team:norr", "team:söder"]


def test_long_counting_says_how_far_it_is_and_stops_for_who_leaves(
    opened: Opened, server: Server, office: Office
) -> None:
    """And the next question is answered; what cannot be is said to be so."""
    opened_books: list[Heard] = []

    class Endless(Heard):
        def read(self, heard: object) -> None:
            if len(opened_books) > 1:
                super().read(heard)  # type: ignore[arg-type]
                return
            while True:
                heard(7)  # type: ignore[operator]

    def open_(shown: Definitions) -> Heard:
        opened_books.append(Endless(office.events, shown))
        return opened_books[-1]

    office.explainer._open = open_
    office.define(OWN)
    asked = "behind?scope=company&grain=month&start=2026-03-01"
    page = page_of(opened, server, f"{asked}&kpi=revenue")
    status = page.locator("main").get_by_role("status")
    expect(status).to_contain_text("Counting again from the beginning")
    expect(page.locator(".busy")).to_be_visible()
    page.goto(f"{server.address}/manage/{asked}&kpi=new_leads")
    expect(status).to_contain_text("Just what stands everywhere else", timeout=ANSWERED_MS)
    expect(page.locator(".busy")).to_be_hidden()
    page.goto(f"{server.address}/manage/{asked}&kpi=hires")
    expect(status).to_contain_text("There is no such figure. There are: New leads, ")
    expect(status).to_contain_text("Calls, ")
    expect(status).to_contain_text("Big wins, Mean win.")
    office.held = Held(OWN, Definitions(), frozenset())
    page.goto(f"{server.address}/manage/{asked}&kpi=mean_win")
    expect(page.get_by_role("heading", level=1)).to_have_text("Mean win")
    expect(page.get_by_text("Its definition was taken away.")).to_be_visible(timeout=ANSWERED_MS)


def test_they_can_be_read_by_everybody_and_on_a_phone(opened: Opened, server: Server) -> None:
    """In both themes, each field named, with nothing to scroll sideways."""
    page = page_of(opened, server, "figures")
    for path in ("figures", "behind?scope=company&grain=month&start=2026-03-01&kpi=hit_rate"):
        page.set_viewport_size({"width": 1280, "height": 800})
        page.goto(f"{server.address}/manage/{path}")
        expect(page.locator("#page")).to_have_attribute("data-ready", "yes")
        expect(page.locator(".busy:not([hidden])")).to_have_count(0, timeout=ANSWERED_MS)
        fields = "[...document.querySelectorAll('input, select')]"
        assert page.evaluate(f"{fields}.every(one => one.labels.length)")
        for scheme in ("dark", "light"):
            page.emulate_media(color_scheme=scheme)
            for ratio, text in page.evaluate(CONTRASTS):
                assert ratio >= 4.5, text
        page.set_viewport_size({"width": 360, "height": 740})
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
