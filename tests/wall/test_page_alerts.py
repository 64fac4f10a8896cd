"""The page of alerts in a real Chromium, as a manager sees it."""

from datetime import timedelta

from playwright.sync_api import Page, expect

from schemas.notices import Ack
from tests.wall.managing.test_alerts import happen
from tests.wall.office import Office, Server
from tests.wall.test_view import NOON
from tests.wall.visiting import CONTRASTS, Opened, first_account


def page_of(opened: Opened, server: Server, **how: object) -> Page:
    page = first_account(opened, server, **how)  # type: ignore[arg-type]
    page.goto(f"{server.address}/manage/alerts")
    expect(page.locator("#page")).to_have_attribute("data-ready", "yes")
    return page


def test_somebody_takes_an_alert_with_the_keyboard_and_everybody_sees_it(
    opened: Opened, server: Server, office: Office
) -> None:
    """On the same page at once, and on another by itself."""
    happen(office, "team:norr", "at_risk")
    happen(office, "company", "achieved", minute=2)
    page = page_of(opened, server)
    other = opened("/manage/alerts", page.context)
    to_see_to = page.locator("section").first
    expect(to_see_to.get_by_role("heading", level=2)).to_have_text("To see to 1")
    expect(to_see_to.get_by_role("heading", level=3)).to_have_text("At risk: Team Norr, revenue in March")
    expect(to_see_to.get_by_role("listitem")).to_contain_text("nine working days left")
    page.get_by_role("button", name="I see to it: At risk: Team Norr").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").last).to_have_text("Eva sees to it.")
    for each in (page, other):
        expect(each.get_by_text("All that needs somebody has somebody.")).to_be_visible()
        norr = each.get_by_role("listitem").filter(has_text="Team Norr")
        expect(norr).to_contain_text("Eva sees to it, since")


def test_what_happens_meanwhile_is_there_and_the_keyboard_stays_where_it_was(
    opened: Opened, server: Server, office: Office
) -> None:
    """A new alert comes above; whoever is about to press a button presses that one."""
    happen(office, "team:norr", "slipped")
    page = page_of(opened, server, locale="sv-SE")
    button = page.get_by_role(
        "button", name="Jag tar hand om det: Halkar efter: Team Norr, försäljning i mars"
    )
    button.focus()
    [other] = happen(office, "seller:anna", "slipped", minute=3)
    expect(page.get_by_role("heading", level=3)).to_have_text(
        ["Halkar efter: Säljare Anna, försäljning i mars", "Halkar efter: Team Norr, försäljning i mars"]
    )
    expect(button).to_be_focused()
    office.tell(acks=[Ack(other, "Bo", NOON + timedelta(minutes=5))])
    expect(page.get_by_text("Bo tar hand om det, sedan i dag 13:05")).to_be_visible()


def test_it_can_be_read_by_everybody_and_on_a_phone(opened: Opened, server: Server, office: Office) -> None:
    """In both themes, without anything to scroll sideways."""
    happen(office, "team:norr", "at_risk", "slipped", "missed")
    happen(office, "seller:anna", "slipped", minute=3)
    page = page_of(opened, server)
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        for ratio, text in page.evaluate(CONTRASTS):
            assert ratio >= 4.5, text
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
