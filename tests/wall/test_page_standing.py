"""The page of who is ahead and who is behind, in a real Chromium."""

import re
from datetime import timedelta

from msgspec.structs import replace
from playwright.sync_api import Page, expect

from schemas.goals import GoalStatus, Standing
from tests.wall.goals import MARCH, QUARTER, WEEK, goal_of, standing
from tests.wall.office import Office, Server
from tests.wall.test_view import NOON
from tests.wall.visiting import CONTRASTS, Opened, first_account


def stand(
    office: Office,
    scope: str,
    judged: Standing,
    value: float,
    *,
    draft: bool = False,
    at_most: bool = False,
) -> GoalStatus:
    """Have a goal for March stand somewhere."""
    kpi = "cac" if at_most else "revenue"
    status = standing(scope, kpi, MARCH, value, 1_000_000, NOON, judged, 0.6)
    office.tell(goals=[goal_of(status, accepted=not draft, at_most=at_most)], statuses=[status])
    return status


def page_of(opened: Opened, server: Server, path: str = "standing", **how: object) -> Page:
    page = first_account(opened, server, **how)  # type: ignore[arg-type]
    page.goto(f"{server.address}/manage/{path}")
    expect(page.locator("#page")).to_have_attribute("data-ready", "yes")
    return page


def test_what_needs_attention_comes_first_and_moves_as_it_changes(
    opened: Opened, server: Server, office: Office
) -> None:
    """By standing, then by chance; drafts are nobody's, and what is not of now is not there."""
    anna = stand(office, "seller:anna", "on_track", 900_000)
    stand(office, "company", "achieved", 1_100_000)
    stand(office, "team:norr", "at_risk", 500_000)
    stand(office, "team:söder", "slipped", 100_000)
    stand(office, "seller:bo", "slipped", 50_000, draft=True)
    week = standing("team:norr", "meetings_booked", WEEK, 11, 12, NOON)
    quarter = standing("company", "revenue", QUARTER, 2_000_000, 9_000_000, NOON)
    old = standing(
        "company", "quotes_sent", (MARCH[0].replace(month=2), MARCH[0].replace(month=2)), 1, 2, NOON
    )
    office.tell(goals=map(goal_of, [week, quarter, old]), statuses=[week, quarter, old])
    page = page_of(opened, server)
    who = page.get_by_role("rowheader").locator("b")
    expect(who).to_have_text(["Team Söder", "Team Norr", "Anna", "Whole company"])
    expect(page.locator(".summary")).to_have_text(
        "1 needs a lift · 1 a little behind · 1 on its way · 1 reached"
    )
    norr = page.get_by_role("row", name="Team Norr")
    expect(norr).to_contain_text("kr 500,000 of kr 1,000,000 · 50%")
    expect(norr).to_contain_text("600k")
    expect(norr).to_contain_text("833k")
    expect(norr).to_contain_text("37%")
    expect(norr).to_contain_text("55.6k a working day")
    expect(norr.get_by_role("img")).to_have_accessible_name(
        "kr 500,000 of kr 1,000,000, by now it should be kr 600,000"
    )
    office.tell(statuses=[replace(anna, standing="slipped", probability=0.01, revision=9)])
    expect(who).to_have_text(["Anna", "Team Söder", "Team Norr", "Whole company"])


def test_periods_and_teams_are_chosen_and_stay_in_the_address(
    opened: Opened, server: Server, office: Office
) -> None:
    """A team's is also what its sellers stand at; a link leads to the same."""
    stand(office, "seller:anna", "on_track", 900_000)
    stand(office, "team:norr", "at_risk", 500_000)
    stand(office, "team:söder", "slipped", 100_000)
    week = standing("team:norr", "meetings_booked", WEEK, 11, 12, NOON)
    office.tell(goals=[goal_of(week, "Möten på måndag")], statuses=[week])
    page = page_of(opened, server, locale="sv-SE")
    who = page.get_by_role("rowheader").locator("b")
    page.get_by_label("Team").select_option("Team Norr")
    expect(who).to_have_text(["Team Norr", "Anna"])
    page.get_by_role("button", name="Veckan").click()
    expect(page.get_by_role("rowheader")).to_have_text("Team NorrMöten på måndag, vecka 12")
    page.reload()
    expect(page.get_by_role("rowheader")).to_have_text("Team NorrMöten på måndag, vecka 12")
    page.get_by_role("button", name="I dag").click()
    expect(page.get_by_text("Inga mål här.")).to_be_visible()


def test_a_page_that_is_open_overnight_is_of_the_day_after(
    opened: Opened, server: Server, office: Office
) -> None:
    """Once anything moves; what was yesterday's is not there any more."""
    sunday = WEEK[1]
    office.clock = NOON.replace(day=sunday.day)
    for nth, day in enumerate((sunday, sunday + timedelta(days=1))):
        status = standing("team:norr", "quotes_sent", (day, day), 1 + nth, 9, NOON)
        office.tell(goals=[goal_of(status)], statuses=[status])
    page = page_of(opened, server, "standing?period=day")
    row = page.get_by_role("row", name="Team Norr")
    expect(row).to_contain_text("1 of 9")
    file = page.get_by_role("link", name="Save as CSV")
    expect(file).to_have_attribute("href", re.compile("on=2026-03-22&lang=en$"))
    office.clock += timedelta(days=1)
    stand(office, "company", "on_track", 1)
    expect(row).to_contain_text("2 of 9")
    expect(file).to_have_attribute("href", re.compile("on=2026-03-23&lang=en$"))


def test_a_page_that_may_be_late_says_so(opened: Opened, server: Server, office: Office) -> None:
    """As the wall does, for as long as it is so; and follows again after."""
    stand(office, "team:norr", "at_risk", 500_000)
    page = page_of(opened, server)
    warning = page.get_by_role("status").first
    expect(warning).to_be_empty()
    office.state = "behind"
    expect(warning).to_have_text("Counting is behind. The figures are from 13:00:00.")
    assert min(ratio for ratio, _ in page.evaluate(CONTRASTS)) >= 4.5
    server.stop()
    expect(warning).to_have_text("No contact with the server. The figures are from 13:00:00.")
    stand(office, "company", "on_track", 900_000)
    office.state = "fresh"
    server.start()
    expect(warning).to_be_empty()
    expect(page.get_by_role("rowheader")).to_have_count(2)


def test_a_limit_is_told_as_one(opened: Opened, server: Server, office: Office) -> None:
    """Nobody is to get closer to it."""
    stand(office, "company", "on_track", 400_000, at_most=True)
    page = page_of(opened, server)
    row = page.get_by_role("row", name="Whole company")
    expect(row).to_contain_text("kr 400,000 at most kr 1,000,000")
    expect(row).to_contain_text("600k left to the limit")


def test_it_can_be_read_by_everybody_and_on_a_phone(opened: Opened, server: Server, office: Office) -> None:
    """There it is still a table to who hears it, with nothing to scroll sideways."""
    stand(office, "team:norr", "at_risk", 500_000)
    page = page_of(opened, server)
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        for ratio, text in page.evaluate(CONTRASTS):
            assert ratio >= 4.5, text
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    expect(page.get_by_role("table", name="Standing").get_by_role("cell")).to_have_count(6)
