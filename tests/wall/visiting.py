"""Those who come to a server: browsers that sign in, televisions that are paired, strangers."""

import re
from collections.abc import Callable

import httpx
from litestar.testing import TestClient
from playwright.sync_api import Page, expect

from tests.wall.office import Office, Server
from wall.accounts.door import CSRF_HEADER, Door
from wall.api import build_app

Opened = Callable[..., Page]
"""Opens a page, in a browser of its own unless told which."""

PASSWORD = "correct horse battery"
SCREEN = {"name": "Reception"}
Client = TestClient  # one browser, with its cookies


def browser(office: Office, door: Door, address: str = "http://wall.test") -> Client:
    app = build_app(office.view, office.hub, office.heartbeat, door=door, desk=office.desk)
    return TestClient(app, base_url=address)


def television(office: Office, door: Door) -> Client:
    client = browser(office, door)
    client.headers[CSRF_HEADER] = "none"
    return client


def paired(office: Office, door: Door, manager: Client, **settings: object) -> tuple[Client, int, str]:
    """A television that was paired with a new screen, the screen and the television's token."""
    client = television(office, door)
    screen = manager.post("/api/screens", json={**SCREEN, **settings}).json()["id"]
    asked = client.post("/api/tv/codes").json()
    entered = manager.post(f"/api/screens/{screen}/televisions", json={"code": asked["code"].lower()})
    assert entered.status_code == 201
    claimed = client.post("/api/tv/claims", json={"secret": asked["claim"]}).json()
    assert claimed["screen"]["id"] == screen
    return client, screen, claimed["token"]


def reason(answer: httpx.Response) -> str:
    return answer.json()["extra"]["reason"]


def first_account(opened: Opened, server: Server, **how: str) -> Page:
    """A page of a browser in which the first account was made, and is signed in."""
    assert server.door is not None
    page = opened(f"/manage/first#{server.door.first_code}", **how)
    page.get_by_label(re.compile("Name|Namn")).fill("Eva")
    page.get_by_label(re.compile("Password|Lösenord")).fill(PASSWORD)
    page.get_by_role("button", name=re.compile("Make the account|Skapa kontot")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("Screens|Skärmar"))
    return page


CONTRASTS = """() => {
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, nth) => sum + v * [0.2126, 0.7152, 0.0722][nth], 0);
  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const ground = (node) => {
    for (; node; node = node.parentElement) {
      const found = numbers(getComputedStyle(node).backgroundColor);
      if (found.length === 3 || found[3] === 1) return found;
    }
    throw new Error("no ground");
  };
  return [...document.querySelectorAll("body *")]
    .filter(one => one.checkVisibility())
    .filter(one => [...one.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
    .map(one => {
      const both = [light(numbers(getComputedStyle(one).color)), light(ground(one))];
      const [a, b] = both.sort((x, y) => y - x);
      return [(a + 0.05) / (b + 0.05), one.textContent];
    });
}"""
"""Of each text on the page with what it stands on."""
