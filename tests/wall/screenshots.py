"""Makes the wall's screenshots in docs/wall from a simulated floor: `./run screenshots`.

No broker: the floor's events are folded in this process and told to the view directly.
"""

import io
import sys
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from PIL import Image
from playwright.sync_api import Browser, Page, expect

from bench.chromium import NO_CHROMIUM, chromium_path, launched
from schemas.events import DealWon, DealWonData
from schemas.goals import AlertKind, GoalStatus, Standing
from schemas.notices import Ack
from schemas.records import decode_record
from simulation.floor import Floor
from tests.wall.goals import MARCH, QUARTER, WEEK, alert_of, goal_of, standing
from tests.wall.office import Office, Server, furnished, serving
from wall.accounts.door import SESSION_COOKIE, Door
from wall.accounts.store import Store
from wall.view import View

FOLDER = Path(__file__).parents[2] / "docs" / "wall"
START = date(2024, 6, 3)
CLOCK = datetime(2026, 3, 19, 15, 42, 7, tzinfo=ZoneInfo("Europe/Stockholm"))
MOST_BYTES = 300_000
TV, PHONE = (1920, 1080), (390, 844)

PICTURES = {
    "company-sv": (TV, "scope=company&period=month&lang=sv"),
    "company-en": (TV, "scope=company&period=month&lang=en&theme=light"),
    "today-en": (TV, "scope=company&period=day&lang=en&theme=light"),
    "team-sv": (TV, "scope=team:norr&period=week&lang=sv"),
    "seller-en": (TV, "scope=seller:elin&period=month&lang=en"),
    "phone-sv": (PHONE, "scope=company&period=day&lang=sv"),
    "phone-en": (PHONE, "scope=company&period=month&lang=en&theme=light"),
}
"""Each with its size and what its address asks for."""

DESK = (1280, 860)
NORR = "scope=team:norr&grain=month&start=2026-03-01"
MANAGED = {
    "alerts-sv": (DESK, "sv", "dark", "alerts"),
    "standing-sv": (DESK, "sv", "dark", "standing"),
    "standing-en": (DESK, "en", "light", "standing?period=month&team=team:norr"),
    "figures-sv": (DESK, "sv", "light", f"figures?{NORR}"),
    "behind-sv": (DESK, "sv", "dark", f"behind?{NORR}&kpi=average_deal_value"),
    "behind-phone-en": (PHONE, "en", "light", f"behind?{NORR}&kpi=revenue"),
    "goals-sv": (DESK, "sv", "dark", "goals"),
    "goals-phone-en": (PHONE, "en", "light", "goals?team=team:norr"),
    "alerts-phone-sv": (PHONE, "sv", "light", "alerts"),
}
"""Of the manager's pages, each with its size, language, theme and address."""


def main() -> int:
    """Make them all."""
    path = chromium_path()
    if path is None:
        print(f"screenshots: {NO_CHROMIUM}.", file=sys.stderr)
        return 1
    FOLDER.mkdir(exist_ok=True)
    with TemporaryDirectory() as folder:
        view = View(Path(folder) / "view.sqlite")
        office = furnished(view, Floor(currencies=("EUR",)), START, CLOCK)
        _set_goals(office)
        with serving(office) as server, launched(path) as browser:
            for name, (size, asked) in PICTURES.items():
                _picture(browser, server, name, size, asked)
            _celebration(browser, server, office)
        store = Store(Path(folder) / "accounts.sqlite")
        with serving(office, Door(store)) as server, launched(path) as browser:
            _manage(browser, server, store)
        store.close()
        view.close()
    return 0


def _set_goals(office: Office) -> None:
    """Some that are well and some that are not, beside the figures as they are."""

    def value(scope: str, grain: str, kpi: str) -> float:
        start = {"week": WEEK, "month": MARCH, "quarter": QUARTER}[grain][0].isoformat()
        [body] = office.view.records(scope, grain, start, start)
        return float(decode_record(body).kpis[kpi] or 0)

    def share_of(scope: str, kpi: str, grain: str, share: float) -> tuple[float, float]:
        reached = value(scope, grain, kpi)
        return reached, max(round(reached / share, -5 if kpi == "revenue" else 0), 1)

    told: list[tuple[str, str, tuple[date, date], str, float, Standing]] = [
        ("company", "revenue", MARCH, "month", 0.61, "on_track"),
        ("company", "new_leads", MARCH, "month", 0.58, "on_track"),
        ("company", "revenue", QUARTER, "quarter", 0.83, "on_track"),
        ("company", "meetings_booked", WEEK, "week", 0.49, "at_risk"),
        ("team:norr", "revenue", MARCH, "month", 0.52, "at_risk"),
        ("team:söder", "revenue", MARCH, "month", 0.72, "on_track"),
        ("team:öst", "revenue", MARCH, "month", 0.34, "slipped"),
        ("team:norr", "revenue", WEEK, "week", 0.6, "on_track"),
        ("team:norr", "quotes_sent", WEEK, "week", 0.7, "on_track"),
        ("seller:elin", "revenue", MARCH, "month", 0.55, "at_risk"),
        ("seller:elin", "meetings_booked", WEEK, "week", 0.75, "on_track"),
    ]
    found: list[GoalStatus] = []
    for scope, kpi, period, grain, share, judged in told:
        reached, target = share_of(scope, kpi, grain, share)
        found.append(standing(scope, kpi, period, reached, target, CLOCK, judged, 0.62))
    happened: list[tuple[int, AlertKind, timedelta]] = [
        (4, "at_risk", timedelta(minutes=9)),
        (9, "at_risk", timedelta(hours=26)),
        (6, "slipped", timedelta(hours=3)),
        (6, "at_risk", timedelta(hours=29)),
        (5, "recovered", timedelta(hours=5)),
        (5, "at_risk", timedelta(hours=53)),
        (8, "achieved", timedelta(hours=2)),
    ]
    alerts = [alert_of(found[nth], kind, CLOCK - ago) for nth, kind, ago in happened]
    acks = [Ack(alerts[1].id, "Eva", CLOCK - timedelta(hours=25))]
    office.tell(goals=map(goal_of, found), statuses=found, alerts=alerts, acks=acks)


def _picture(
    browser: Browser,
    server: Server,
    name: str,
    size: tuple[int, int],
    asked: str,
    happens: Callable[[], None] | None = None,
) -> None:
    width, height = size
    phone = size == PHONE
    page = browser.new_page(
        viewport={"width": width, "height": height}, device_scale_factor=2 if phone else 1
    )
    page.goto(f"{server.address}/?rotate=0&{asked}")
    expect(page.locator("#slide")).to_have_attribute("data-loaded", "yes", timeout=20_000)
    if happens is not None:
        happens()
    # Until what fades in is there.
    page.wait_for_timeout(1_800)
    _save(name, page.screenshot())
    page.close()


def _manage(browser: Browser, server: Server, store: Store) -> None:
    account = store.add_account("Eva", "nobody signs in with it")
    assert account is not None
    cookie = {"name": SESSION_COOKIE, "value": store.begin_session(account.id), "url": server.address}
    for name, ((width, height), language, scheme, path) in MANAGED.items():
        phone = width == PHONE[0]
        context = browser.new_context(
            viewport={"width": width, "height": height},
            device_scale_factor=2 if phone else 1,
            locale={"sv": "sv-SE", "en": "en-GB"}[language],
            color_scheme="light" if scheme == "light" else "dark",
        )
        context.add_cookies([cookie])  # pyright: ignore[reportArgumentType]
        page = context.new_page()
        page.goto(f"{server.address}/manage/{path}")
        expect(page.locator("#page")).to_have_attribute("data-ready", "yes", timeout=20_000)
        expect(page.locator(".busy:not([hidden])")).to_have_count(0, timeout=120_000)
        page.wait_for_timeout(300)
        _save(f"manage-{name}", page.screenshot())
        if name == "goals-sv":
            _dividing(page)
        context.close()


def _dividing(page: Page) -> None:
    """A goal that is divided, and another that cannot be so."""
    card = page.get_by_role("listitem", name="Team Norr: Försäljning").first
    card.get_by_role("button", name="Dela upp").click()
    expect(card.get_by_role("table", name="Delarna")).to_be_visible()
    card.scroll_into_view_if_needed()
    card.evaluate("card => card.scrollIntoView()")
    page.wait_for_timeout(300)
    _save("manage-dividing-sv", page.screenshot())
    page.reload()
    page.get_by_role("button", name="Nytt mål").click()
    page.get_by_role("textbox", name="Mål").first.fill("35 %")
    page.get_by_role("textbox", name="Period").fill("2026-04")
    expect(page.locator(".remark").first).to_be_visible()
    page.wait_for_timeout(300)
    _save("manage-goal-sv", page.screenshot())


def _celebration(browser: Browser, server: Server, office: Office) -> None:
    data = DealWonData(deal="d-won", customer="c-won", seller="elin", value="186500.00")
    won = DealWon(specversion="1.0", id="won", source="screenshots://", time=CLOCK, data=data)
    asked = "scope=company&period=month&lang=sv"
    _picture(browser, server, "celebration-sv", TV, asked, lambda: office.tell(told=[won]))


def _save(name: str, picture: bytes) -> None:
    """In 256 colours, which is all it has but for the shades of its edges."""
    path = FOLDER / f"{name}.png"
    Image.open(io.BytesIO(picture)).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(
        path, optimize=True
    )
    size = path.stat().st_size
    assert size < MOST_BYTES, f"{path} has {size} bytes"
    print(f"{path.name}  {size // 1_000} kB")


if __name__ == "__main__":
    sys.exit(main())
