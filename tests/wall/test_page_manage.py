"""Signing in, screens and pairing in a real Chromium, as those who do it see it."""

import re
from typing import get_args

import pytest
from playwright.sync_api import expect

from tests.wall.office import Server
from tests.wall.visiting import CONTRASTS, PASSWORD, Opened, first_account
from wall.accounts.door import Door
from wall.accounts.store import Store
from wall.refusing import Reason

PAIRED_MS = 60_000


def test_signing_in_leads_to_where_one_wanted_to_go(opened: Opened, server: Server) -> None:
    """From the wall too; a wrong password and a short one say so, and signing out ends it."""
    assert server.door is not None
    page = opened("/manage/sign-in")
    expect(page.get_by_text("Nobody has an account yet")).to_be_visible()
    page = opened(f"/manage/first#{server.door.first_code}")
    page.get_by_label("Name").fill("Eva")
    page.get_by_label("Password").fill("short")
    page.get_by_label("Password").press("Enter")
    expect(page.get_by_role("alert")).to_have_text("A password has 12 to 200 characters.")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Password").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Screens")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    page.goto(f"{server.address}/?rotate=0&lang=en&scope=company")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    page.get_by_label("Name").fill("eva")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_have_text("The name or the password is wrong.")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#slide")).to_have_attribute("data-loaded", "yes")
    assert "scope=company" in page.url
    # No other server is led to, whatever the address says.
    page = opened("/manage/sign-in?to=//elsewhere.test/", page.context)
    page.get_by_label("Name").fill("eva")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{server.address}/manage/alerts")


def test_signing_out_says_where_it_failed_and_who_is_out_already_is_out(
    opened: Opened, server: Server
) -> None:
    page = first_account(opened, server)
    page.route("**/api/session/end", lambda route: route.abort(), times=1)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("status").last).to_contain_text("The server does not answer. Try again.")
    page.context.clear_cookies()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_the_wall_leads_whoever_is_signed_in_to_the_pages(opened: Opened, server: Server) -> None:
    """On a phone too, with nothing to scroll sideways; not where it is in a frame, as on a television."""
    page = first_account(opened, server)
    page.goto(f"{server.address}/?rotate=0&lang=en")
    link = page.get_by_role("link", name="Manage")
    expect(link).to_be_visible()
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    link.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Alerts")
    page.evaluate(
        "document.body.append(Object.assign(document.createElement('iframe'), { src: '/?rotate=0' }))"
    )
    wall = page.frame_locator("iframe")
    expect(wall.locator("#slide")).to_have_attribute("data-loaded", "yes")
    expect(wall.locator("#manage")).to_be_hidden()


@pytest.mark.parametrize("locale", ["sv-SE", "en-GB"])
def test_there_is_a_sentence_for_each_reason_of_a_refusal(opened: Opened, locale: str) -> None:
    """In the language of the page, also where the server gives none, as where a session is over."""
    page = opened("/manage/sign-in", locale=locale)
    has_words = "Object.keys((await import('/js/manage/words.js')).words.reasons)"
    assert set(get_args(Reason)) - set(page.evaluate(f"(async () => {has_words})()")) == {"goal"}
    said = page.evaluate(
        "(async () => { const { faultOf } = await import('/js/manage/forms.js');"
        " const of = (status) => faultOf({ status, reason: null, message: '…' });"
        " return [401, 403, 500, 400].map(of); })()"
    )
    assert len(set(said)) == len(said)
    assert [text for text in said if "…" in text] == said[-1:]


def test_accounts_are_added_changed_and_removed(opened: Opened, server: Server) -> None:
    """In Swedish, where the browser is; whoever is removed is out at once."""
    page = first_account(opened, server, locale="sv-SE")
    expect(page.locator("html")).to_have_attribute("lang", "sv")
    page.get_by_role("link", name="Konton").click()
    add = page.locator("form").first
    add.get_by_label("Namn").fill("Bo")
    add.get_by_label("Lösenord").fill(PASSWORD)
    add.get_by_role("button", name="Lägg till").click()
    bo = page.get_by_role("listitem").filter(has_text=re.compile("^Bo"))
    expect(bo).to_be_visible()
    other = opened("/manage/sign-in")
    other.get_by_label("Name").fill("Bo")
    other.get_by_label("Password").fill(PASSWORD)
    other.get_by_role("button", name="Sign in").click()
    expect(other.get_by_role("heading", level=1)).to_have_text("Alerts")
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Ta bort: Bo").click()
    expect(bo).to_have_count(0)
    other.reload()
    expect(other.get_by_role("heading", level=1)).to_have_text("Sign in")
    page.get_by_role("button", name="Ta bort: Eva").click()
    expect(page.get_by_role("status").last).to_contain_text("sista kontot")
    page.get_by_label("Nuvarande lösenord").fill(PASSWORD)
    page.get_by_label("Nytt lösenord").fill("another good one")
    page.get_by_role("button", name="Byt lösenord").click()
    expect(page.get_by_role("status").last).to_contain_text("Bytt")


def test_a_television_is_paired_follows_its_screen_survives_a_restart_and_is_revoked(
    opened: Opened, server: Server, store: Store
) -> None:
    """Without anybody touching it."""
    page = first_account(opened, server)
    page.get_by_label("Name", exact=True).fill("Reception")
    page.get_by_label("Language").select_option("en")
    page.get_by_label("Only").select_option("company")
    page.get_by_role("button", name="Make the screen").click()
    card = page.get_by_role("listitem", name="Reception")
    tv = opened("/tv")
    expect(tv.locator("#code")).to_have_text(re.compile(r"^\w{3} \w{3}$"))
    assert tv.locator("#picture").evaluate("image => image.decode().then(() => image.naturalWidth > 0)")
    card.get_by_label("The code on the television").fill(tv.locator("#code").inner_text().lower())
    card.get_by_role("button", name="Pair").click()
    wall = tv.frame_locator("iframe")
    expect(wall.locator("#slide")).to_have_attribute("data-loaded", "yes", timeout=PAIRED_MS)
    expect(wall.locator("h1")).to_have_text("Whole company")
    expect(wall.locator("html")).to_have_attribute("data-theme", "dark")
    revoke = re.compile(r"^Revoke: Reception, \d.* \d{4}, \d\d:\d\d$")
    expect(card.get_by_role("button", name=revoke)).to_be_visible(timeout=PAIRED_MS)
    # What it shows is changed from elsewhere.
    card.get_by_text("Settings").click()
    card.get_by_label("Theme").select_option("light")
    card.get_by_role("button", name="Save").click()
    expect(wall.locator("html")).to_have_attribute("data-theme", "light", timeout=PAIRED_MS)
    expect(wall.locator("#board")).to_be_visible()
    sellers = card.get_by_role("combobox", name="Sellers")
    sellers.select_option("As initials")
    card.get_by_role("button", name="Save").click()
    names = wall.locator("#board-rows .name")
    expect(names.first).to_have_text(re.compile(r"^[A-ZÅÄÖ]$"), timeout=PAIRED_MS)
    sellers.select_option("Not at all")
    card.get_by_role("button", name="Save").click()
    expect(wall.locator("#board")).to_be_hidden(timeout=PAIRED_MS)
    expect(wall.locator("#feed-rows")).to_contain_text("The company", timeout=PAIRED_MS)
    # Both go away, and come back: the server with what it has in its file, the browser with what it kept.
    server.stop()
    server.door = Door(store)
    server.start()
    expect(wall.locator("#warning")).to_be_hidden(timeout=PAIRED_MS)
    context = tv.context
    tv.close()
    tv = opened("/tv", context)
    wall = tv.frame_locator("iframe")
    expect(wall.locator("#slide")).to_have_attribute("data-loaded", "yes", timeout=PAIRED_MS)
    context.clear_cookies()
    tv.reload()
    expect(wall.locator("#slide")).to_have_attribute("data-loaded", "yes", timeout=PAIRED_MS)
    card.get_by_role("button", name="Revoke").click()
    expect(tv.locator("#revoked")).to_have_text("This television was revoked.", timeout=PAIRED_MS)
    expect(tv.locator("iframe")).to_have_count(0)
    expect(tv.locator("#code")).to_have_text(re.compile(r"^\w{3} \w{3}$"))
    tv.reload()
    expect(tv.locator("#code")).to_have_text(re.compile(r"^\w{3} \w{3}$"))


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_everybody_can_use_the_pages(scheme: str, opened: Opened, server: Server) -> None:
    """With the keyboard alone, each field named, and letters that stand out from their ground."""
    page = first_account(opened, server, color_scheme=scheme)
    page.get_by_label("Name", exact=True).fill("Lunch room")
    page.keyboard.press("Enter")
    expect(page.get_by_role("listitem", name="Lunch room")).to_be_visible()
    for path in ("/manage/alerts", "/manage/screens", "/manage/accounts", "/tv"):
        page.goto(f"{server.address}{path}")
        expect(page.get_by_role("heading", level=1)).not_to_be_empty()
        nameless = page.evaluate(
            "[...document.querySelectorAll('input, select')].filter(one => !one.labels.length).length"
        )
        assert nameless == 0
        for ratio, text in page.evaluate(CONTRASTS):
            assert ratio >= 4.5, (path, text)
