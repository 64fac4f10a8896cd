"""Accounts, screens and pairing over the real application and a real store."""

import re
import stat
import time
from pathlib import Path

import httpx
import msgspec
import pytest

from schemas.events import DealWon, DealWonData
from schemas.records import KpiRecord, decode_record
from tests.wall.office import Office, serving
from tests.wall.test_view import NOON
from tests.wall.visiting import PASSWORD, SCREEN, Client, browser, paired, reason, television
from wall.accounts.discretion import discreet_events
from wall.accounts.door import CSRF_HEADER, SCREEN_COOKIE, SESSION_COOKIE, Door
from wall.accounts.limits import MAX_KEYS, Limit
from wall.accounts.pairing import LETTERS
from wall.accounts.store import Store, StoreError

FIGURES = ["now", "records", "scopes", "kpis", "feed", "alerts", "goals", "statuses",
           "series?scope=company&kpi=revenue&grain=day&from=2026-03-01&to=2026-03-19"]  # fmt: skip


def decoded(bodies: list[bytes]) -> list[KpiRecord]:
    return [decode_record(body) for body in bodies]


def test_the_first_account_takes_the_printed_code_and_is_made_once(office: Office, door: Door) -> None:
    """Without it, or a second time, nothing is made; the next start prints none."""
    client = television(office, door)
    code = door.first_code
    given = {"code": code, "name": "Eva", "password": PASSWORD}
    assert client.get("/api/session").json()["first"]
    assert reason(client.post("/api/first", json={**given, "code": "guessed"})) == "code"
    assert reason(client.post("/api/first", json={**given, "password": "short"})) == "length"
    assert not door.store.has_accounts()
    assert client.post("/api/first", json=given).status_code == 201
    assert reason(client.post("/api/first", json={**given, "name": "Mallory"})) == "code"
    assert [account.name for account in door.store.accounts()] == ["Eva"]
    assert Door(door.store).first_code is None


def test_figures_are_for_those_signed_in_and_for_screens(
    office: Office, door: Door, manager: Client
) -> None:
    """Every route that reads them; the page itself has none."""
    stranger = browser(office, door)
    screen, _, _ = paired(office, door, manager)
    for path in [*FIGURES, "stream"]:
        assert stranger.get(f"/api/{path}").status_code == 401
    for path in FIGURES:
        assert manager.get(f"/api/{path}").status_code == 200
        assert screen.get(f"/api/{path}").status_code == 200
    assert stranger.get("/").status_code == 200


def test_every_changing_route_refuses_screens_strangers_and_other_sites(
    office: Office, door: Door, manager: Client
) -> None:
    """Asked of the application itself, so that a route that is added is tested too."""
    screen, _, _ = paired(office, door, manager)
    stranger = television(office, door)
    forged = browser(office, door)
    forged.cookies.set(SESSION_COOKIE, manager.cookies[SESSION_COOKIE])
    of_other_session = browser(office, door)
    of_other_session.cookies.set(SESSION_COOKIE, manager.cookies[SESSION_COOKIE])
    of_other_session.headers[CSRF_HEADER] = "0" * 64
    changing = [
        (method, re.sub(r"\{\w+:int\}", "1", route.path))
        for route in manager.app.routes
        for method in getattr(route, "methods", ())
        if method not in {"GET", "HEAD", "OPTIONS"}
    ]
    without_account = {"/api/first", "/api/tv/codes", "/api/tv/claims", "/api/tv/resume"}
    assert len(changing) >= 13
    before = (door.store.accounts(), door.store.screens(), door.store.televisions())
    for method, path in changing:
        assert forged.request(method, path, json={}).status_code == 403, path
        if path in without_account or (method, path) == ("POST", "/api/session"):
            continue
        assert of_other_session.request(method, path, json={}).status_code == 403, path
        for who in (screen, stranger):
            assert who.request(method, path, json={}).status_code == 401, path
    assert before == (door.store.accounts(), door.store.screens(), door.store.televisions())


def test_sessions_end_at_sign_out_password_change_and_removal(
    office: Office, door: Door, manager: Client
) -> None:
    """All of the account's; where the password was changed one goes on."""

    def second(password: str = PASSWORD) -> Client:
        client = television(office, door)
        done = client.post("/api/session", json={"name": " eva ", "password": password})
        assert done.status_code == 201
        client.headers[CSRF_HEADER] = done.json()["csrf"]
        return client

    other = second()
    stolen = other.cookies[SESSION_COOKIE]
    assert other.post("/api/session/end").status_code == 200
    other.cookies.set(SESSION_COOKIE, stolen)
    assert other.get("/api/now").status_code == 401
    other = second()
    assert reason(manager.put("/api/password", json={"old": "wrong", "new": "x" * 12})) == "wrong"
    assert reason(manager.put("/api/password", json={"old": PASSWORD, "new": "x" * 11})) == "length"
    assert other.get("/api/now").status_code == 200
    changed = manager.put("/api/password", json={"old": PASSWORD, "new": "another good one"})
    manager.headers[CSRF_HEADER] = changed.json()["csrf"]
    assert manager.get("/api/now").status_code == 200
    assert other.get("/api/now").status_code == 401
    other = second("another good one")
    assert reason(manager.delete(f"/api/accounts/{changed.json()['account']['id']}")) == "last"
    added = manager.post("/api/accounts", json={"name": "Bo", "password": PASSWORD}).json()
    assert reason(manager.post("/api/accounts", json={"name": "BO", "password": PASSWORD})) == "taken"
    assert [one["name"] for one in manager.get("/api/accounts").json()] == ["Bo", "Eva"]
    assert other.delete(f"/api/accounts/{changed.json()['account']['id']}").status_code == 204
    assert other.get("/api/now").status_code == 401
    assert door.store.accounts() == [door.store.account(added["id"])[0]]  # type: ignore[index]


def test_a_session_expires(
    office: Office, door: Door, manager: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the server's clock, whatever the cookie says."""
    now = time.time()
    monkeypatch.setattr("wall.accounts.store.time.time", lambda: now + 14 * 24 * 3600 - 60)
    assert manager.get("/api/now").status_code == 200
    monkeypatch.setattr("wall.accounts.store.time.time", lambda: now + 14 * 24 * 3600 + 60)
    assert manager.get("/api/now").status_code == 401


def test_guessing_is_slow(office: Office, door: Door, manager: Client) -> None:
    """After ten tries even the right password has to wait; who does not exist is not told apart."""
    client = television(office, door)
    nobody = client.post("/api/session", json={"name": "Nobody", "password": PASSWORD})
    for _ in range(10):
        wrong = client.post("/api/session", json={"name": "Eva", "password": "wrong"})
        assert (wrong.status_code, wrong.json()) == (nobody.status_code, nobody.json())
    waits = client.post("/api/session", json={"name": "eva", "password": PASSWORD})
    assert waits.status_code == 429
    assert 0 < int(waits.headers["retry-after"]) <= 900
    for number in range(18):
        client.post("/api/session", json={"name": f"n{number}", "password": "wrong"})
    assert client.post("/api/session", json={"name": "other", "password": "x"}).status_code == 429


def test_an_office_behind_one_address_signs_in_and_guesses_count_all_the_same(
    office: Office, door: Door, manager: Client
) -> None:
    """However many sign in, none has to wait; and that they did gives nobody more wrong passwords."""
    client = television(office, door)
    for number in range(29):
        client.post("/api/session", json={"name": f"n{number}", "password": "wrong"})
    right = {"name": "Eva", "password": PASSWORD}
    assert [client.post("/api/session", json=right).status_code for _ in range(3)] == [201] * 3
    last = [client.post("/api/session", json={"name": name, "password": "wrong"}) for name in "xy"]
    assert [answer.status_code for answer in last] == [401, 429]


def test_cookies_are_out_of_reach(office: Office, door: Door, manager: Client) -> None:
    """Of scripts and other sites, and over https of whoever listens."""
    for address, secure in (("http://wall.test", False), ("https://wall.test", True)):
        client = browser(office, door, address)
        client.headers[CSRF_HEADER] = "none"
        said = client.post("/api/session", json={"name": "Eva", "password": PASSWORD}).headers["set-cookie"]
        assert "HttpOnly" in said
        assert "SameSite=lax" in said
        assert ("Secure" in said) == secure


def test_nothing_secret_is_kept_as_it_is(
    office: Office, door: Door, manager: Client, tmp_path: Path
) -> None:
    """Neither password, nor session, nor token; and the file is its owner's alone."""
    _, _, token = paired(office, door, manager)
    file = tmp_path / "accounts.sqlite"
    held = file.read_bytes()
    for secret in (PASSWORD, manager.cookies[SESSION_COOKIE], token):
        assert secret.encode() not in held
    assert b"$argon2id$" in held
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_code_is_good_once_and_for_minutes(
    office: Office, door: Door, manager: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A code without look-alikes; who else knows it has nothing to collect."""
    tv = television(office, door)
    screen = manager.post("/api/screens", json=SCREEN).json()["id"]
    path = f"/api/screens/{screen}/televisions"
    asked = tv.post("/api/tv/codes").json()
    assert len(asked["code"]) == 6
    assert set(asked["code"]) <= set(LETTERS)
    assert not set(LETTERS) & set("01BILOSZ258")
    assert tv.get(f"/api/tv/codes/{asked['code']}").headers["content-type"].startswith("image/svg+xml")
    assert tv.post("/api/tv/claims", json={"secret": asked["claim"]}).json() == {
        "screen": None, "token": None,
    }  # fmt: skip
    assert tv.post("/api/tv/claims", json={"secret": asked["code"]}).status_code == 404
    assert manager.post(path, json={"code": asked["code"]}).status_code == 201
    assert reason(manager.post(path, json={"code": asked["code"]})) == "code"
    assert tv.post("/api/tv/claims", json={"secret": asked["claim"]}).json()["token"]
    assert tv.post("/api/tv/claims", json={"secret": asked["claim"]}).status_code == 404
    late = tv.post("/api/tv/codes").json()
    now = time.monotonic()
    door.pairing._clock = lambda: now + 301
    assert reason(manager.post(path, json={"code": late["code"]})) == "code"
    assert tv.post("/api/tv/claims", json={"secret": late["claim"]}).status_code == 404
    answers = [manager.post(path, json={"code": "AAAAAA"}).status_code for _ in range(20)]
    assert answers[-1] == 429


def test_a_television_is_back_after_a_restart_and_gone_when_revoked(
    office: Office, door: Door, manager: Client
) -> None:
    """With its cookie or else with the token that it kept."""
    tv, screen, token = paired(office, door, manager)
    after = Door(door.store)
    again = television(office, after)
    assert again.get("/api/now").status_code == 401
    assert again.post("/api/tv/resume", json={"secret": token}).json()["screen"]["name"] == "Reception"
    assert again.get("/api/now").status_code == 200
    assert again.cookies[SCREEN_COOKIE] == token
    [listed] = manager.get("/api/screens").json()
    [one] = listed["televisions"]
    assert manager.delete(f"/api/screens/{screen}/televisions/{one['id']}").status_code == 204
    for client in (tv, again):
        assert client.get("/api/now").status_code == 401
        assert client.post("/api/tv/resume", json={"secret": token}).status_code == 401
        assert client.get("/api/tv/stream").status_code == 401


def test_with_names_hidden_nothing_of_sellers_leaves_the_server(
    office: Office, door: Door, manager: Client
) -> None:
    """Neither names nor ids nor figures, of those that others are given."""
    tv, _, _ = paired(office, door, manager, names_hidden=True)
    sellers = {one["scope"].removeprefix("seller:") for one in manager.get("/api/scopes").json()["scopes"]
               if one["scope"].startswith("seller:")}  # fmt: skip
    assert len(sellers) == 4
    assert any(moment["seller"] for moment in manager.get("/api/feed").json()["moments"])
    for path in FIGURES:
        said = tv.get(f"/api/{path}")
        assert said.status_code == 200
        for name in sellers:
            assert f'"{name}"' not in said.text.lower(), (path, name)
            assert f"seller:{name}" not in said.text
    assert tv.get("/api/records?scope=company").json()["records"]
    assert tv.get("/api/records?scope=seller:anna").status_code == 403
    assert tv.get("/api/records?scope=seller:").status_code == 403
    asked = "series?kpi=revenue&grain=day&from=2026-03-01&to=2026-03-19&scope=seller:anna"
    assert tv.get(f"/api/{asked}").status_code == 403


@pytest.mark.parametrize("asked", ["scope=company&scope=seller:anna", "scope=seller:anna&scope=company"])
@pytest.mark.parametrize("path", ["series", "records"])
def test_with_names_hidden_no_scope_in_the_shade_of_another_is_a_sellers(
    office: Office, door: Door, manager: Client, path: str, asked: str
) -> None:
    """Of a parameter that is given twice one value is used: whichever it is, no seller's may be there."""
    tv, _, _ = paired(office, door, manager, names_hidden=True)
    window = "kpi=revenue&grain=day&from=2026-03-01&to=2026-03-19"
    assert tv.get(f"/api/{path}?{window}&{asked}").status_code == 403


def test_with_names_hidden_a_series_is_no_sellers_whatever_the_door_let_through(
    office: Office, door: Door, manager: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The route looks for itself, as those do that list records."""
    tv, _, _ = paired(office, door, manager, names_hidden=True)
    monkeypatch.setattr("wall.accounts.door._of_a_seller", lambda _: False)
    asked = "/api/series?kpi=revenue&grain=day&from=2026-03-01&to=2026-03-19&scope="
    assert manager.get(f"{asked}seller:anna").json()["points"]
    assert tv.get(f"{asked}company").json()["points"]
    for scope in ("seller:anna", "seller:"):
        assert tv.get(f"{asked}{scope}").json()["points"] == []


def test_a_screen_that_makes_no_sense_is_refused(manager: Client) -> None:
    """With 400; and one that is not there with 404."""
    for wrong in (
        {"name": ""}, {"name": " "}, {"name": "a", "language": "de"}, {"name": "a", "rotate_s": -1},
        {"name": "a", "views": []}, {"name": "a", "scope": "customer:x"}, {"name": "a", "colour": "red"},
        {"name": "a", "names_hidden": True, "scope": "seller:anna"},
    ):  # fmt: skip
        assert manager.post("/api/screens", json=wrong).status_code == 400, wrong
    assert manager.put("/api/screens/99", json=SCREEN).status_code == 404
    assert manager.delete("/api/screens/99").status_code == 404


def test_a_store_that_cannot_be_had_is_named(tmp_path: Path) -> None:
    """With what to give instead."""
    (tmp_path / "no").write_text("database" * 200)
    with pytest.raises(StoreError, match="Give another --store"):
        Store(tmp_path / "no")
    store = Store(tmp_path / "later")
    store._connection.execute("PRAGMA user_version = 99")
    store.close()
    with pytest.raises(StoreError, match="later Målvakt"):
        Store(tmp_path / "later")


def test_a_stream_of_figures_ends_with_what_allowed_it_and_names_nobody_where_it_must_not(
    office: Office, door: Door, manager: Client
) -> None:
    """Over real HTTP, while things happen."""
    _, screen, token = paired(office, door, manager, names_hidden=True)
    [anna] = [one for one in decoded(office.view.records("seller:anna", "month")) if one.start.month == 3]
    [company] = [one for one in decoded(office.view.records("company", "month")) if one.start.month == 3]
    data = DealWonData(deal="d", customer="c", seller="anna", value="10.00")
    won = DealWon(specversion="1.0", id="won", source="test://", time=NOON, data=data)

    def happen() -> None:
        raised = (msgspec.structs.replace(one, revision=one.revision + 1) for one in (anna, company))
        office.tell(raised, [won])

    with serving(office, door) as server:
        cookies = {SCREEN_COOKIE: token}
        with httpx.stream("GET", f"{server.address}/api/stream", cookies=cookies, timeout=60) as answer:
            heard: list[str] = []
            for line in answer.iter_lines():
                if line == "event: heartbeat" and "event: heartbeat" not in heard:
                    happen()
                elif line == "event: moment":
                    door.store.revoke(door.store.televisions()[0].id, screen)
                heard.append(line)
    assert "event: record" in heard
    assert any('"company"' in line for line in heard)
    assert any('"deal":"d"' in line for line in heard)
    assert not [line for line in heard if "anna" in line]


def test_a_limit_forgets_with_time_and_costs_no_memory() -> None:
    """After so many seconds one may try again; of many who try the oldest are forgotten."""
    now = [0.0]
    limit = Limit(2, 10.0, lambda: now[0])
    assert [limit.take("a"), limit.take("a"), limit.take("a"), limit.take("b")] == [0, 0, 10, 0]
    now[0] = 10.0
    assert limit.take("a") == 0
    for number in range(MAX_KEYS + 10):
        limit.take(str(number))
    assert len(limit._tried) == MAX_KEYS


def test_a_try_that_is_given_back_leaves_those_before_it() -> None:
    """And nothing where there were none, or where they were forgotten."""
    limit = Limit(2, 10.0, lambda: 0.0)
    for key in ("a", "a", "b"):
        limit.take(key)
    for key in ("a", "b", "c"):
        limit.give_back(key)
    assert [limit.take("a"), limit.take("a")] == [0, 10]
    assert set(limit._tried) == {"a"}


def test_who_sees_to_an_alert_is_told_to_no_screen_that_hides_sellers() -> None:
    """They are somebody by name, too."""
    said = b'id: a-1\nevent: ack\ndata: {"alert":"g","by":"anna"}\n\nevent: heartbeat\ndata: {}\n\n'
    assert discreet_events(said) == b"event: heartbeat\ndata: {}\n\n"
