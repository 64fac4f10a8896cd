"""Setting goals in a real Chromium, as a manager does."""

import re

from msgspec.structs import replace
from playwright.sync_api import Page, Route, expect

from schemas.goals import Recurring
from tests.wall.goals import MARCH, goal_of, standing
from tests.wall.office import Office, Server
from tests.wall.test_view import NOON
from tests.wall.visiting import CONTRASTS, Opened, first_account


def page_of(opened: Opened, server: Server, path: str = "goals", **how: object) -> Page:
    page = first_account(opened, server, **how)  # type: ignore[arg-type]
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(f"{server.address}/manage/{path}")
    expect(page.locator("#page")).to_have_attribute("data-ready", "yes")
    return page


def test_a_goal_from_the_first_word_to_its_history(opened: Opened, server: Server) -> None:
    """Written, with what is wrong beside the field; set, accepted, changed, retired."""
    page = page_of(opened, server)
    page.get_by_role("button", name="New goal").click()
    page.get_by_role("combobox", name="Who", exact=True).select_option("Team Norr")
    target = page.get_by_role("textbox", name="Target")
    target.fill("35 %")
    page.get_by_role("textbox", name=re.compile("^Period")).fill("2026-04")
    expect(target).to_have_accessible_description(re.compile("revenue is money, in SEK, and no share"))
    expect(target).to_have_attribute("aria-invalid", "true")
    page.get_by_role("button", name="Set the goal").click()
    expect(page.get_by_role("alert")).to_have_text("Something needs mending; it is said at the field.")
    target.fill("1 500 000")
    expect(target).to_have_attribute("aria-invalid", "false")
    page.get_by_role("textbox", name=re.compile("^Name")).fill("Spring")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").last).to_have_text("Spring is a draft now.")
    card = page.get_by_role("listitem", name="Team Norr: Spring")
    expect(card).to_contain_text("at least kr 1,500,000 · April · a draft")
    card.get_by_role("button", name="Accept").click()
    expect(card).to_contain_text("accepted by Eva")
    card.get_by_role("button", name="Change").click()
    expect(card.get_by_role("combobox", name="Who", exact=True)).to_be_disabled()
    expect(card.get_by_role("textbox", name="Target")).to_have_value("1 500 000 SEK")
    expect(card.get_by_role("textbox", name=re.compile("^Period"))).to_have_value("2026-04")
    card.get_by_role("textbox", name="Target").fill("+14 %")
    card.get_by_role("combobox", name="Compared with").select_option("The same time last year")
    card.get_by_role("button", name="Save").click()
    expect(card).to_contain_text("at least +14% on last year · April · a draft")
    card.get_by_role("button", name="History").click()
    expect(card.locator(".history li")).to_have_text(
        [
            re.compile(r"Now Revenue, at least \+14% on last year.*A draft again\..*Eva"),
            re.compile(r"Accepted by Eva\."),
            re.compile(r"Set: Revenue, at least kr.1,500,000, April\."),
        ]
    )
    card.get_by_role("button", name="Close").click()
    card.get_by_role("button", name="Retire").click()
    expect(card).to_have_count(0)


def test_a_goal_is_divided_and_what_differs_is_shown(opened: Opened, server: Server) -> None:
    """Evenly or by weight, over those who are chosen; a part that is changed later shows."""
    page = page_of(opened, server, locale="sv-SE")
    page.get_by_role("button", name="Nytt mål").click()
    target = page.get_by_role("textbox", name="Mål", exact=False).first
    target.fill("35 %")
    page.get_by_role("textbox", name=re.compile("^Period")).fill("2026-Q2")
    expect(target).to_have_accessible_description(
        re.compile("försäljning är pengar, i SEK, och ingen andel")
    )
    target.fill("1000000")
    page.get_by_role("button", name="Sätt målet").click()
    card = page.get_by_role("listitem", name="Hela bolaget: Försäljning")
    card.get_by_role("button", name="Dela upp: Hela").click()
    parts = card.get_by_role("table", name="Delarna").locator("tbody").get_by_role("row")
    expect(parts).to_have_text([re.compile("Team Norr"), re.compile("Team Söder")])
    for who in ("Team Norr", "Team Söder", "Anna", "Bo", "Cia"):
        card.get_by_role("checkbox", name=who).set_checked(not who.startswith("Team"))
    expect(parts).to_have_count(3)
    expect(parts.first).to_contain_text("333 333,34 kr")
    expect(card.get_by_text("Tillsammans 1 000 000 kr, precis målet.")).to_be_visible()
    card.get_by_role("combobox", name="Hur", exact=True).select_option("Efter vikt")
    card.get_by_label("Vikt för Anna").fill("2")
    expect(parts.first).to_contain_text("500 000 kr")
    card.get_by_role("button", name="Dela upp", exact=True).click()
    expect(card).to_contain_text("Delat på 3, som tillsammans är precis målet.")
    anna = page.get_by_role("listitem", name="Anna: Försäljning")
    anna.get_by_role("button", name="Ändra").click()
    anna.get_by_role("textbox", name="Mål").first.fill("600 000")
    anna.get_by_role("button", name="Spara").click()
    expect(card).to_contain_text("Delat på 3, som tillsammans kräver 100 000 kr mer.")
    anna.get_by_role("button", name="Ändra").click()
    period = anna.get_by_role("textbox", name=re.compile("^Period"))
    period.fill("2026-04-07 till 2026-05-15")
    anna.get_by_role("button", name="Spara").click()
    expect(anna).to_contain_text("7 april – 15 maj")
    anna.get_by_role("button", name="Ändra").click()
    expect(period).to_have_value("2026-04-07 till 2026-05-15")


def test_what_is_said_of_an_earlier_draft_is_not_said_of_the_present_one(
    opened: Opened, server: Server
) -> None:
    """However late it comes; and a fault of a button stays until it is seen."""
    page = page_of(opened, server)
    page.get_by_role("button", name="New goal").click()
    target = page.get_by_role("textbox", name="Target")
    page.get_by_role("textbox", name=re.compile("^Period")).fill("2026-04")
    held: list[Route] = []
    page.route("**/goals/check?*", lambda route: held.append(route), times=1)  # noqa: PLW0108 - Playwright marks what it is given
    with page.expect_request("**/goals/check?*"):
        target.fill("35 %")
    with page.expect_response("**/goals/check?*"):
        target.fill("1 500 000")
    with page.expect_response("**/goals/check?*"):
        held[0].continue_()
    page.evaluate("new Promise((done) => setTimeout(done, 200))")
    expect(target).to_have_attribute("aria-invalid", "false")
    page.get_by_role("button", name="Set the goal").click()
    page.route("**/goals/accept*", lambda route: route.abort())
    page.get_by_role("button", name="Accept").click()
    said = page.get_by_role("status").last
    expect(said).to_contain_text("The server does not answer. Try again.")
    page.evaluate("new Promise((done) => setTimeout(done, 7_000))")
    expect(said).to_contain_text("The server does not answer. Try again.")
    said.get_by_role("button", name="Close").click()
    expect(said).to_be_empty()


def test_what_is_written_stays_while_others_change_goals(
    opened: Opened, server: Server, office: Office
) -> None:
    """And who comes second is told so."""
    march = standing("team:norr", "revenue", MARCH, 310_000, 410_000, NOON, "at_risk", 0.8)
    office.tell(goals=[goal_of(march, "Mars")], statuses=[march])
    page = page_of(opened, server)
    other = opened("/manage/goals", page.context)
    card = page.get_by_role("listitem", name="Team Norr: Mars")
    card.get_by_role("button", name="Change").click()
    target = card.get_by_role("textbox", name="Target")
    target.fill("500 000")
    theirs = other.get_by_role("listitem", name="Team Norr: Mars")
    theirs.get_by_role("button", name="Change").click()
    theirs.get_by_role("textbox", name="Target").fill("600 000")
    theirs.get_by_role("button", name="Save").click()
    expect(theirs).to_contain_text("at least kr 600,000")
    page.wait_for_timeout(1_500)
    expect(target).to_have_value("500 000")
    card.get_by_role("button", name="Save").click()
    expect(card.get_by_role("alert")).to_contain_text("Somebody else has changed the goal meanwhile.")


def test_what_is_written_at_one_goal_stays_while_something_is_done_at_others(
    opened: Opened, server: Server, office: Office
) -> None:
    """Those follow what happens, too; what was changed or retired meanwhile is so once it is closed."""
    march = [
        standing(scope, "revenue", MARCH, 310_000, 410_000, NOON, "at_risk", 0.8)
        for scope in ("company", "team:norr", "team:söder")
    ]
    office.tell(goals=(goal_of(one, "Mars", accepted=False) for one in march), statuses=march)
    page = page_of(opened, server)
    company, norr, south = (
        page.get_by_role("listitem", name=f"{who}: Mars")
        for who in ("Whole company", "Team Norr", "Team Söder")
    )
    norr.get_by_role("button", name="Change").click()
    target = norr.get_by_role("textbox", name="Target")
    target.fill("500 000")
    south.get_by_role("button", name="History").click()
    south.get_by_role("button", name="Close").click()
    company.get_by_role("button", name="Accept").click()
    expect(company).to_contain_text("accepted by Eva")
    page.get_by_role("button", name="New goal").click()
    fresh = page.locator(".card").first
    fresh.get_by_role("textbox", name="Target").fill("9")
    fresh.get_by_role("combobox", name="KPI").select_option("Meetings booked")
    fresh.get_by_role("textbox", name=re.compile("^Period")).fill("2026-04")
    fresh.get_by_role("button", name="Set the goal").click()
    expect(page.get_by_role("listitem", name="Whole company: Meetings booked")).to_be_visible()
    expect(target).to_have_value("500 000")
    target.press("End")
    office.tell(goals=[replace(goal_of(march[2]), version=2, name="Våren")])
    expect(page.get_by_role("listitem", name="Team Söder: Våren")).to_contain_text("accepted by anna")
    page.keyboard.press("0")
    expect(target).to_have_value("500 0000")
    office.retire(march[1].goal)
    office.retire(march[2].goal)
    expect(page.get_by_role("listitem", name="Team Söder")).to_have_count(0)
    expect(target).to_have_value("500 0000")
    norr.get_by_role("button", name="Cancel").click()
    expect(norr).to_have_count(0)


def test_the_day_that_a_recurring_goal_ends_before_is_none_of_it(
    opened: Opened, server: Server, office: Office
) -> None:
    march = standing("company", "revenue", MARCH, 310_000, 410_000, NOON)
    recurring = Recurring(grain="month", start=MARCH[0], until=MARCH[1])
    office.tell(goals=[replace(goal_of(march), period=recurring)])
    page = page_of(opened, server, locale="sv-SE")
    card = page.get_by_role("listitem", name="Hela bolaget")
    expect(card).to_contain_text("varje månad från 1 mars före 31 mars")


def test_it_can_be_read_by_everybody_and_on_a_phone(opened: Opened, server: Server, office: Office) -> None:
    """Also while somebody writes; each field named, with nothing to scroll sideways."""
    march = standing("company", "revenue", MARCH, 310_000, 410_000, NOON, "at_risk", 0.8)
    office.tell(goals=[goal_of(march, "Mars")], statuses=[march])
    page = page_of(opened, server)
    page.get_by_role("button", name="New goal").click()
    page.get_by_role("button", name="Divide: Whole company: Mars").click()
    fields = "[...document.querySelectorAll('input, select')]"
    assert page.evaluate(f"{fields}.every(one => one.labels.length)")
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        for ratio, text in page.evaluate(CONTRASTS):
            assert ratio >= 4.5, text
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
