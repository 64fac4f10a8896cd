"""The page in a real Chromium: what changes is seen, what is stale says so, and everybody can use it."""

import re
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import msgspec
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from schemas.definitions import Definitions, KpiDefinition, KpiUnit
from schemas.events import (
    DealAmended,
    DealAmendedData,
    DealWon,
    DealWonData,
    SellerAssigned,
    SellerAssignedData,
)
from schemas.records import KpiRecord, encode_record
from schemas.topics import SCORECARDS
from simulation.floor import Floor
from streams.following import Fetched
from tests.wall.goals import MARCH, alert_of, goal_of, standing
from tests.wall.office import Office, Server, furnished, serving
from tests.wall.test_view import NOON
from wall.freshness import State
from wall.view import View

MONTH = date(2026, 3, 1)
SPRING = date(2026, 3, 2), date(2026, 4, 10)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    view = View(tmp_path / "view.sqlite")
    yield furnished(view, Floor(sellers=4, teams=2), date(2026, 1, 5), NOON)
    view.close()


@pytest.fixture
def server(office: Office) -> Iterator[Server]:
    with serving(office) as running:
        yield running


Opened = Callable[..., Page]
HEARD_MS = 15_000
"""Within which a page has heard how things stand, on a slow machine."""


@pytest.fixture
def opened(chromium: Browser, server: Server) -> Iterator[Opened]:
    """Opens a page with parameters of its address, and sees that nothing went wrong on it."""
    faults: list[str] = []
    contexts = []

    def open_(parameters: str = "rotate=0", width: int = 1920, height: int = 1080, **how: str) -> Page:
        context = chromium.new_context(viewport={"width": width, "height": height}, **how)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: faults.extend([said.text] * ("Content Security" in said.text)))
        page.goto(f"{server.address}/?{parameters}")
        expect(page.locator("#slide")).to_have_attribute("data-loaded", "yes")
        return page

    yield open_
    for context in contexts:
        context.close()
    assert faults == []


def digits(page: Page, selector: str) -> str:
    return re.sub(r"\D", "", page.locator(selector).inner_text())


def company(office: Office, grain: str, start: date) -> KpiRecord:
    [body] = office.view.records("company", grain, start.isoformat(), start.isoformat())
    return msgspec.json.decode(body, type=KpiRecord)


def worth(record: KpiRecord, revenue: str) -> KpiRecord:
    """The record as it is after another deal."""
    return msgspec.structs.replace(
        record, revision=record.revision + 1, kpis={**record.kpis, "revenue": revenue}
    )


def test_a_changed_record_changes_what_is_seen(opened: Opened, office: Office) -> None:
    """The figure, the curve that leads to it, and what each of them is as of."""
    page = opened("rotate=0&period=month&scope=company")
    hero = page.locator("#hero")
    expect(page.locator("html")).to_have_attribute("lang", "sv")
    expect(page.locator("h1")).to_have_text("Hela bolaget")
    month, day = company(office, "month", MONTH), company(office, "day", NOON.date())
    assert digits(page, "#hero") == f"{float(str(month.kpis['revenue'])):.0f}"
    pixels, curve = page.locator(".lead").screenshot(), page.locator(".line").get_attribute("d")
    office.tell([worth(month, "98765432.10"), worth(day, "54321000.00")])
    expect(hero).to_contain_text(re.compile(r"98\s765\s432"))
    assert hero.get_attribute("data-as-of") is not None
    expect(page.locator(".line")).not_to_have_attribute("d", curve or "")
    page.wait_for_timeout(1_500)
    assert page.locator(".lead").screenshot() != pixels


def test_a_server_that_learns_the_currency_late_has_it_shown(opened: Opened, office: Office) -> None:
    """It began without Kafka, and this page with it; nobody loads a television again."""
    page = opened("rotate=0&period=month&scope=company&lang=en")
    expect(page.locator("#hero")).to_contain_text("kr")
    amount = digits(page, "#hero")
    office.currency = "EUR"
    expect(page.locator("#hero")).to_contain_text("\N{EURO SIGN}", timeout=HEARD_MS)
    assert digits(page, "#hero") == amount


def test_a_server_that_is_gone_is_said_within_seconds_and_all_is_right_after(
    opened: Opened, office: Office, server: Server
) -> None:
    """In words, with up to when the figures hold; and nothing that happened meanwhile is missing."""
    page = opened("rotate=0&period=month&scope=company&lang=en")
    expect(page.locator("#warning")).to_be_hidden()
    server.stop()
    expect(page.locator("#warning")).to_contain_text("No contact with the server")
    assert re.search(r"\d\d:\d\d:\d\d", page.locator("#warning").inner_text())
    expect(page.locator("body")).to_have_class(re.compile("stale"))
    office.tell([worth(company(office, "month", MONTH), "1234567.00")])
    server.start()
    expect(page.locator("#warning")).to_be_hidden()
    expect(page.locator("#hero")).to_contain_text("1,234,567")


@pytest.mark.parametrize(
    ("state", "says"),
    [("behind", "is behind"), ("still", "stands still"), ("away", "database"), ("unreachable", "Kafka")],
)
def test_a_pipeline_that_is_not_well_is_said(
    state: State, says: str, opened: Opened, office: Office
) -> None:
    """With the next heartbeat, and no longer than it is so."""
    page = opened("rotate=0&lang=en")
    office.state = state
    expect(page.locator("#warning")).to_contain_text(says)
    office.state = "fresh"
    expect(page.locator("#warning")).to_be_hidden()


def test_what_is_late_says_up_to_when_it_holds_in_swedish(opened: Opened, office: Office) -> None:
    """Where nobody knows that, there is nothing to say of it but that it is late."""
    page = opened("rotate=0")
    fresh, warning = page.locator("#fresh-words"), page.locator("#warning")
    expect(fresh).to_have_text("Aktuellt kl. 13:00:00")
    office.state = "behind"
    expect(warning).to_have_text("Beräkningen ligger efter. Siffrorna är från 13:00:00.")
    page.route("**/api/now", lambda route: route.abort())
    page.reload()
    expect(warning).to_have_text("Ingen kontakt med servern. Siffrorna är från en tidigare tidpunkt.")
    expect(fresh).to_be_empty()


def test_a_wall_that_begins_while_the_database_is_away_says_so(opened: Opened, office: Office) -> None:
    """A server that answers is not lost, and nothing is fresh before it is there; keys do no harm."""
    page = opened("rotate=0&lang=en")
    page.route("**/api/feed*", lambda route: route.fulfill(status=503))
    page.reload()
    fresh, warning = page.locator("#fresh-words"), page.locator("#warning")
    with page.expect_response("**/api/feed*"):
        expect(page.locator("#time")).not_to_be_empty()
    expect(fresh).to_have_text("Loading …")
    expect(warning).to_be_hidden()
    office.state = "away"
    expect(warning).to_have_text("The database does not answer. The figures are from 13:00:00.")
    page.keyboard.press("ArrowRight")
    page.get_by_role("button", name="Previous view").click()
    office.state = "fresh"
    page.unroute("**/api/feed*")
    expect(page.locator("#slide")).to_have_attribute("data-loaded", "yes")
    expect(page.locator("#hero-label")).to_have_text("Revenue today")
    expect(fresh).to_have_text("Correct at 13:00:00")


def deal_won(number: int, minutes: int, value: str) -> DealWon:
    return DealWon(
        specversion="1.0",
        id=f"won-{number}",
        source="test://",
        time=NOON - timedelta(minutes=minutes),
        data=DealWonData(deal=f"new-{number}", customer="c", seller="anna", value=value),
    )


def test_a_deal_that_is_won_is_celebrated_once(opened: Opened, office: Office) -> None:
    """With who and how much, for those who see and those who hear; an amendment only changes the feed."""
    page = opened("rotate=0&lang=en")
    office.tell(told=[deal_won(1, 60, "111.00")])
    expect(page.locator("#celebration")).to_be_hidden()
    office.tell(told=[deal_won(2, 0, "222000.00")])
    expect(page.locator("#celebration")).to_be_visible()
    expect(page.locator("#winner")).to_have_text("Anna")
    expect(page.locator("#prize")).to_contain_text("222,000")
    expect(page.locator("#spoken")).to_contain_text("Anna won a deal")
    expect(page.locator("#feed-rows li").first).to_contain_text("222,000")
    expect(page.locator("#celebration")).to_be_hidden(timeout=15_000)
    data = DealAmendedData(deal="new-2", customer="c", value="333000.00")
    amended = DealAmended(
        specversion="1.0", id="amended", source="test://", time=NOON + timedelta(seconds=9), data=data
    )
    office.tell(told=[amended])
    expect(page.locator("#feed-rows li").first).to_contain_text("333,000")
    expect(page.locator("#celebration")).to_be_hidden()


REVENUE = standing("company", "revenue", MARCH, 600_000, 1_000_000, NOON, "at_risk")


def test_what_it_takes_a_day_is_never_told_as_less(opened: Opened) -> None:
    """To three digits and a tenth at most, of money to whole units; something is never told as nothing."""
    page = opened("rotate=0")
    takes = {0.03: 0.1, 0.3: 0.3, 1.1: 1.1, 9.95: 10, 10.01: 11, 1_234: 1_240}
    of_money = {"0.40": "1.0", "44444.44": "44500.0", "7.00": "7.0"}
    told = "values => import('/js/figures.js').then(({ toTake }) => values.map(toTake))"
    assert page.evaluate(told, [*takes, *of_money]) == [*takes.values(), *of_money.values()]


def test_a_goal_is_shown_where_there_is_one(opened: Opened, office: Office) -> None:
    """How far it is, how far it should be, how it will end, and what it takes; the curve has its way."""
    page = opened("rotate=0&period=month&scope=company&lang=en")
    expect(page.locator("#goal")).to_be_hidden()
    expect(page.locator(".planned")).to_have_count(0)
    office.tell(goals=[goal_of(REVENUE)], statuses=[REVENUE])
    expect(page.locator("#goal-share")).to_have_text("60% of the goal of 1m · by now it should be 65%")
    expect(page.locator("#goal-forecast")).to_have_text("Forecast 923k (831k to 1.02m) · chance 37%")
    expect(page.locator("#goal-standing")).to_have_text("a little behind")
    expect(page.locator("#goal-rest")).to_have_text("44.5k a working day · 13 more leads")
    expect(page.get_by_role("meter")).to_have_attribute("aria-valuenow", "60")
    expect(page.locator(".planned")).to_have_count(1)


@pytest.mark.parametrize("lang", ["sv", "en"])
@pytest.mark.parametrize(
    ("kpi", "value", "target"), [("revenue", 61_234_000, 98_765_000), ("leads_qualified", 1_612, 2_480)]
)
def test_what_is_said_of_a_goal_is_said_to_its_end(
    opened: Opened, office: Office, kpi: str, value: float, target: float, lang: str
) -> None:
    """However long it is: what does not fit beside stands below."""
    page = opened(f"rotate=0&period=month&scope=company&lang={lang}")
    status = standing("company", kpi, MARCH, value, target, NOON, "at_risk")
    office.tell(goals=[goal_of(status)], statuses=[status])
    said = page.locator(".goal-words span")
    expect(page.locator("#goal-rest")).to_contain_text("13")
    cut = "spans => spans.filter(span => span.scrollWidth > span.clientWidth).map(span => span.textContent)"
    assert said.evaluate_all(cut) == []


def test_figures_beside_a_chart_stand_clear_of_each_other(opened: Opened) -> None:
    """However low goals leave it: there are fewer of them then."""
    page = opened("rotate=0&period=day&scope=company", width=1600, height=900)
    beside = page.locator('#curve text[x="0"]')
    expect(beside).to_have_count(4)
    low = "flex: none; height: 7rem; min-height: 0"
    page.locator("#curve").evaluate("(curve, low) => { curve.style.cssText = low }", low)
    expect(beside).to_have_count(2)
    upper, lower = beside.nth(1).bounding_box(), beside.nth(0).bounding_box()
    assert upper is not None
    assert lower is not None
    assert upper["y"] + upper["height"] <= lower["y"]


def test_any_goal_of_a_scope_is_shown_the_one_that_slips_large(opened: Opened, office: Office) -> None:
    """Whatever its KPI and period; the others small. A draft, and a period that is over, are not."""
    meetings = standing("company", "meetings_booked", SPRING, 31, 60, NOON, "slipped")
    leads = standing("company", "new_leads", MARCH, 90, 100, NOON)
    cost = standing("company", "cac", MARCH, 9_000, 12_000, NOON)
    draft = standing("company", "quotes_sent", MARCH, 1, 9, NOON)
    over = standing("company", "deals_closed", (date(2026, 2, 1), date(2026, 2, 28)), 1, 9, NOON, "missed")
    office.tell(
        goals=[goal_of(meetings, "Fair"), goal_of(draft, accepted=False), goal_of(cost, at_most=True)],
        statuses=[meetings, leads, cost, draft, over],
    )
    page = opened("rotate=0&period=month&scope=company&lang=en")
    expect(page.locator("#goal-about")).to_have_text("Fair until 10 April")
    expect(page.locator("#goal-share")).to_contain_text("52% of the goal of 60")
    expect(page.locator("#goals li")).to_have_count(2)
    expect(page.locator("#goals")).to_contain_text("New leads90%on its way")
    expect(page.locator("#goals")).to_contain_text("Cost of a new customer9,000")


def test_goals_for_own_kpis_are_called_and_written_as_these_are_defined(
    opened: Opened, office: Office
) -> None:
    """A ratio is a number, a part of a whole in per cent; also where it is defined while a wall is up."""

    def own(formula: str, unit: KpiUnit, name: str) -> KpiDefinition:
        return KpiDefinition(formula=formula, unit=unit, better="higher", name={"sv": "…", "en": name})

    office.define(Definitions({}, {"effort": own("contacts / deals_won", "number", "Contacts for a deal")}))
    effort = standing("company", "effort", MARCH, 41.5, 50, NOON, "slipped")
    office.tell(goals=[goal_of(effort)], statuses=[effort])
    page = opened("rotate=0&period=month&scope=company&lang=en")
    expect(page.locator("#goal-about")).to_have_text("Contacts for a deal until 31 March")
    expect(page.locator("#goal-share")).to_contain_text("83% of the goal of 50")
    office.define(
        Definitions({}, {"by_mail": own("emails / (emails + calls)", "ratio", "Share of emails")})
    )
    emails = standing("company", "by_mail", MARCH, 0.4, 0.5, NOON, "slipped")
    office.tell(goals=[goal_of(emails)], statuses=[emails])
    expect(page.locator("#goal-about")).to_have_text("Share of emails until 31 March")
    expect(page.locator("#goal-share")).to_contain_text("80% of the goal of 50%")
    expect(page.locator("#goals")).to_contain_text("Contacts for a deal83%")


def test_the_company_sees_how_its_teams_stand(opened: Opened, office: Office) -> None:
    """Each team's foremost goal; on the team's own view it is large."""
    told = [
        standing("team:norr", "revenue", MARCH, 500_000, 1_000_000, NOON, "slipped"),
        standing("team:söder", "meetings_booked", MARCH, 9, 10, NOON),
    ]
    office.tell(goals=map(goal_of, told), statuses=told)
    page = opened("rotate=0&period=month&scope=company&lang=en")
    expect(page.locator("#goals li")).to_have_text(
        ["Team Norr50%needs a lift", "Team Söder · Meetings booked90%on its way"]
    )
    page.get_by_label("Show").select_option("team:norr")
    expect(page.locator("#goal-share")).to_contain_text("50% of the goal of 1m")


def test_what_happens_to_goals_is_told_and_no_sellers_setback_to_the_floor(
    opened: Opened, office: Office
) -> None:
    """In words, in the feed of what just happened; a seller's setback only where it is theirs."""
    page = opened("rotate=0&period=month&scope=company&lang=en")
    anna = standing("seller:anna", "revenue", MARCH, 1_000, 100_000, NOON)
    office.tell(alerts=[alert_of(anna, "slipped", NOON, "Anna's spring")])
    office.tell(alerts=[alert_of(REVENUE, "recovered", NOON - timedelta(minutes=1))])
    feed = page.locator("#feed-rows")
    expect(feed.locator("[data-alert]")).to_have_text(
        [re.compile("Whole company is on its way again: Revenue")]
    )
    page.get_by_label("Show").select_option("seller:anna")
    expect(feed).to_contain_text("Anna needs a lift: Anna's spring")
    office.tell(alerts=[alert_of(anna, "achieved", NOON, "Anna's spring")])
    page.get_by_label("Show").select_option("company")
    expect(feed).to_contain_text("Anna reached it: Anna's spring")


def test_names_can_be_left_out(opened: Opened, office: Office) -> None:
    """Sellers are their initials, everywhere: on the board, in the feed, where they win, in their goals."""
    anna = standing("seller:anna", "revenue", MARCH, 1_000, 100_000, NOON)
    office.tell(
        goals=[goal_of(anna, "Anna's spring")],
        statuses=[anna],
        alerts=[alert_of(anna, "achieved", NOON, "Anna's spring")],
    )
    page = opened("rotate=0&period=month&scope=seller:anna&lang=en&names=0&board=share")
    expect(page.locator("h1")).to_have_text("A")
    expect(page.locator("#board-rows")).to_contain_text("1%")
    office.tell(told=[deal_won(5, 0, "5.00")])
    expect(page.locator("#winner")).to_have_text("A")
    expect(page.locator("#feed-rows")).to_contain_text("A reached it: Revenue")
    assert "Anna" not in page.locator("body").inner_text()


def test_the_board_can_be_by_the_share_of_ones_own_goal(opened: Opened, office: Office) -> None:
    """Whatever that goal is of; who has none is not placed, and a ceiling is no race."""
    told = [
        standing("seller:anna", "revenue", MARCH, 50_000, 100_000, NOON),
        standing("seller:bo", "meetings_booked", MARCH, 9, 10, NOON),
    ]
    ceiling = standing("seller:cia", "cac", MARCH, 9_000, 9_000, NOON)
    office.tell(goals=[*map(goal_of, told), goal_of(ceiling, at_most=True)], statuses=[*told, ceiling])
    page = opened("rotate=0&period=month&scope=company&lang=en&board=share")
    expect(page.locator("#board-rows li")).to_have_text(["1Bo90%", "2Anna50%"])


@pytest.mark.parametrize("lang", ["sv", "en"])
def test_labels_keep_apart_on_a_narrow_phone(lang: str, opened: Opened, office: Office) -> None:
    """On 360 pixels every label fits its place, with goals and without running out at the side."""
    teams = [
        standing(f"team:{team}", "revenue", MARCH, 5e5, 1e6, NOON, "slipped") for team in ("norr", "söder")
    ]
    office.tell(statuses=[REVENUE, *teams])
    page = opened(f"rotate=0&period=month&scope=company&lang={lang}", width=360, height=740)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    labels = page.locator("#figures dt, .goal-words span, #goals li > *")
    assert labels.count() > 6
    assert (
        labels.evaluate_all("all => all.filter((one) => one.scrollWidth > one.clientWidth + 1).length") == 0
    )


def test_views_follow_one_another_and_can_be_held(opened: Opened) -> None:
    """By themselves, with the arrow keys, with the buttons, by name; the board can be left out."""
    page = opened("rotate=2&lang=en")
    expect(page.locator("#hero-label")).to_have_text("Revenue in week 12")
    page.keyboard.press(" ")
    expect(page.locator("#pause")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#hero-label")).to_have_text("Revenue today")
    page.wait_for_timeout(3_500)
    expect(page.locator("#hero-label")).to_have_text("Revenue today")
    page.get_by_label("Show").select_option("seller:bo")
    expect(page.locator("h1")).to_have_text("Bo")
    page.get_by_role("button", name="Month").click()
    expect(page.locator("#hero-label")).to_have_text("Revenue in March")
    expect(page.locator("#board [aria-current=true]")).to_contain_text("Bo")
    assert opened("rotate=0&board=off").locator("#board").is_hidden()
    # Without accounts there are no pages to go to.
    expect(page.get_by_role("link")).to_have_count(0)


CONTRAST = """() => {
  const rgb = (text) => text.match(/[\\d.]+/g).slice(0, 3).map(Number);
  const linear = (v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  const light = (c) => rgb(c).map((v) => linear(v / 255))
    .reduce((sum, v, nth) => sum + v * [0.2126, 0.7152, 0.0722][nth], 0);
  const ground = light(getComputedStyle(document.body).backgroundColor);
  const found = {};
  for (const node of document.querySelectorAll("body *")) {
    const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim());
    if (!own || !node.checkVisibility() || node.closest(".warning, .celebration")) continue;
    const style = getComputedStyle(node);
    const ink = light(node.namespaceURI.endsWith("svg") ? style.fill : style.color);
    const [low, high] = [ink, ground].sort((a, b) => a - b);
    found[`${node.tagName} ${node.className.baseVal ?? node.className}`] = (high + 0.05) / (low + 0.05);
  }
  return found;
}"""


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_every_word_stands_out_enough(theme: str, opened: Opened) -> None:
    """WCAG AA: 4.5 to 1, of every text on the page."""
    page = opened(f"rotate=0&theme={theme}")
    found = page.evaluate(CONTRAST)
    assert len(found) > 10
    assert {name: ratio for name, ratio in found.items() if ratio < 4.5} == {}


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (1280, 720), (3840, 2160), (390, 844)])
def test_nothing_is_cut_off_at_any_size(width: int, height: int, opened: Opened) -> None:
    """Neither at a side, nor on a television below; and no text runs out of its place."""
    page = opened("rotate=0&period=month&scope=company", width=width, height=height)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    nodes = page.locator("#hero, #figures dd, #feed-rows .value, #board-rows .value, .bottom, .plot")
    assert (
        nodes.evaluate_all("all => all.filter((one) => one.scrollWidth > one.clientWidth + 1).length") == 0
    )
    for box in (node.bounding_box() for node in nodes.all()):
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width + 1
        if width > 1000:
            assert box["y"] + box["height"] <= height + 1


def test_who_wants_no_motion_gets_none(opened: Opened, office: Office) -> None:
    """A celebration stands still, and is one all the same."""
    page = opened("rotate=0", reduced_motion="reduce")
    office.tell(told=[deal_won(3, 0, "5.00")])
    expect(page.locator("#celebration")).to_be_visible()
    assert page.evaluate("document.getAnimations().length") == 0


def test_what_cannot_be_had_just_now_leaves_what_there_is(
    opened: Opened, office: Office, server: Server
) -> None:
    """Whoever goes on while the server is gone sees the figures there are; then, those they asked for."""
    page = opened("rotate=0&lang=en")
    hero = page.locator("#hero-label")
    expect(hero).to_have_text("Revenue today")
    server.stop()
    page.get_by_label("Show").select_option("team:norr")
    expect(page.locator("#warning")).to_contain_text("No contact with the server")
    expect(page.locator("#slide")).to_have_attribute("data-loaded", "yes")
    expect(hero).to_have_text("Revenue today")
    server.start()
    expect(page.locator("h1")).to_have_text("Team Norr")
    expect(page.locator("#slide")).to_have_attribute("data-loaded", "yes")


def test_who_is_new_is_offered_though_the_first_question_fails(opened: Opened, office: Office) -> None:
    """The stream tells of a name once; what a server that ends did not answer is asked again."""
    page = opened("rotate=0&lang=en")
    page.route("**/api/scopes", lambda route: route.abort(), times=2)  # for name and team
    data = SellerAssignedData(seller="eva", team="norr", name="Eva")
    office.tell(told=[SellerAssigned(specversion="1.0", id="eva", source="test://", time=NOON, data=data)])
    expect(page.locator("#scope option[value='seller:eva']")).to_have_count(1)


def test_a_new_life_of_the_view_that_begins_while_the_page_does_is_noticed(
    opened: Opened, office: Office, server: Server
) -> None:
    """What it asked for before is forgotten: it asks again."""
    page = opened("rotate=0&period=month&scope=company&lang=en")
    held: list[Route] = []
    passing: list[bool] = []
    page.route("**/api/series*", lambda route: route.continue_() if passing else held.append(route))
    page.reload()
    until(page, lambda: bool(held) and office.hub.walls > 0)
    month = company(office, "month", MONTH)
    office.view.recognise({SCORECARDS.name: "another"}, {})
    office.view.recognise({SCORECARDS.name: "and another"}, {})
    # Of what is in the view by then only the question tells.
    new = encode_record(worth(month, "1234567.00"))
    office.view.apply([Fetched(SCORECARDS.name, 0, 0, month.key, new, 0)], NOON)
    office.in_server(office.hub.restarted)
    page.wait_for_timeout(500)
    passing.append(True)
    for route in held:
        route.continue_()
    expect(page.locator("#hero")).to_contain_text("1,234,567")


def until(page: Page, holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        page.wait_for_timeout(50)
