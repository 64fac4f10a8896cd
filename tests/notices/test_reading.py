"""Rules in YAML: what they say, and every fault at its line."""

from datetime import time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notices.hours import Quiet
from notices.reading import KINDS, check_addresses, filled, read
from notices.rules import Daily, Escalation, Hourly, Immediately, address_of

WHOLE = b"""
timezone: Europe/Oslo
pages: https://malvakt.example.com/
all:
  language: en
  quiet: 18:00-08:00
  working_days: [mon, tue, wed, thu, fri]
  country: NO
routes:
  managers:
    to: ["${SLACK_URL}", json://localhost/alerts]
    scopes: [company, "team:*", owner:anna]
    kinds: [slipped, recovered]
    severity: warning
    escalate: {after: 4 hours, to: directors}
  directors:
    to: mailto://a:${SECRET}@example.com
    language: sv
    quiet: none
    country: none
    digest: daily at 8:30
  wall:
    to: json://localhost/wall
    scopes: "*"
    digest: hourly
"""


def faults(text: str) -> list[str]:
    return [str(fault) for fault in read(text.encode(), "Europe/Stockholm").faults]


def test_a_file_says_who_hears_of_what_and_when() -> None:
    rules, found = read(WHOLE, "Europe/Stockholm")
    assert not found
    assert rules.pages == "https://malvakt.example.com"
    managers, directors, wall = rules.routes.values()
    assert managers.scopes == ("company", "team:*", "owner:anna")
    assert managers.kinds == {"slipped", "recovered"}
    assert (managers.severity, managers.language) == ("warning", "en")
    assert managers.hours.timezone == "Europe/Oslo"
    assert managers.hours.quiet == Quiet(time(18), time(8))
    assert (managers.hours.weekdays, managers.hours.country) == (frozenset(range(5)), "NO")
    assert managers.escalate == Escalation(timedelta(hours=4), "directors")
    assert managers.digest == Immediately()
    assert (directors.language, directors.scopes, directors.digest) == ("sv", (), Daily(time(8, 30)))
    assert (directors.hours.quiet, directors.hours.country) == (None, None)
    assert (wall.digest, wall.kinds) == (Hourly(), frozenset(KINDS))


FAULTS = [
    ("[]", "1:1: rules are a table"),
    (
        "pages: malvakt.example.com\nroutes: {a: {to: x, scopes: company}}",
        "1:8: pages: `malvakt.example.com` is no address of a server; write one such as https://malvakt",
    ),
    (
        "pages: https://example.com/manage\nroutes: {a: {to: x, scopes: company}}",
        "1:8: pages: `https://example.com/manage` is no address of a server",
    ),
    ("", "1:1: a file of rules needs `routes`"),
    ("routes: {}", "1:9: routes: this holds the routes"),
    ("routes: {a: [}", "1:14: this is no valid YAML"),
    ("\troutes:", "1:1: this is no valid YAML"),
    ("routes:\n  a: {scopes: '*'}", "2:6: routes.a: a route needs `to`"),
    ("routes:\n  a: {to: x}", "2:3: routes.a: the route hears of nothing"),
    ("routes:\n  A b: {to: x, scopes: company}", "2:3: routes.A b: a route's name has small letters"),
    (
        "routes:\n  a: {to: x, scope: company}",
        "2:14: routes.a.scope: a route has no `scope`; did you mean `scopes`?",
    ),
    ("routes:\n  a: {to: x, scopes: north}", "2:22: routes.a.scopes: `north` is no scope"),
    ("routes:\n  a: {to: x, scopes: '*', language: de}", "routes.a.language: `de` is none of sv, en."),
    ("routes:\n  a: {to: x, scopes: '*', kinds: [slipped, slip]}", "routes.a.kinds.2: `slip` is none of"),
    ("routes:\n  a: {to: x, scopes: '*', severity: bad}", "`bad` is none of info, warning, critical."),
    (
        "routes:\n  a: {to: x, scopes: '*', quiet: 8-18}",
        "`8-18` are no quiet hours; write them as 18:00-08:00",
    ),
    ("routes:\n  a: {to: x, scopes: '*', quiet: '08:00-08:00'}", "are no quiet hours"),
    ("routes:\n  a: {to: x, scopes: '*', working_days: [mo]}", "`mo` is none of mon, tue"),
    ("routes:\n  a: {to: x, scopes: '*', country: Sweden}", "`Sweden` is no country"),
    ("routes:\n  a: {to: x, scopes: '*', digest: weekly}", "`weekly` is no digest"),
    ("routes:\n  a: {to: x, scopes: '*', quiet: '18:00-08:00', digest: daily 07:30}", "in the quiet hours"),
    ("routes:\n  a: {to: x, scopes: '*', escalate: {after: soon, to: b}}", "`soon` is no time"),
    ("routes:\n  a: {to: x, scopes: '*', escalate: {after: 2, to: b}}", "there is no route `b`"),
    ("routes:\n  a: {to: x, scopes: '*', escalate: {after: 2, to: a}}", "escalates to another one"),
    ("routes:\n  a: {to: x, scopes: '*', escalate: 4}", "write whom to tell, and when"),
    ("routes:\n  a: {to: '${my url}', scopes: '*'}", "`my url` is no name of a variable"),
    (
        "routes:\n  a: {to: x, scopes: '*'}\n  a: {to: y}",
        "3:3: routes.a: this key stands on line 2 already",
    ),
    (
        "timezone: Stockholm\nroutes:\n  a: {to: x, scopes: '*'}",
        "1:11: timezone: `Stockholm` is no timezone",
    ),
    (
        "all: {to: x}\nroutes:\n  a: {to: x, scopes: '*'}",
        "1:7: all.to: what holds for all routes has no `to`",
    ),
    ("routes: &r\n  a: *r", "nest too deep"),
]


@pytest.mark.parametrize(("text", "fault"), FAULTS, ids=[fault for _, fault in FAULTS])
def test_a_fault_is_shown_where_it_is(text: str, fault: str) -> None:
    assert any(fault in found for found in faults(text)), faults(text)


def test_all_faults_are_shown_and_one_that_holds_for_all_routes_once() -> None:
    text = "all: {language: de}\nroutes:\n  a: {to: x, scopes: '*'}\n  b: {to: x, scopes: y}\n"
    assert len(faults(text)) == 2


def test_addresses_are_checked_with_the_environment() -> None:
    def usable(url: str) -> bool:
        return url.startswith(("json:", "mailto:"))

    environment = {"SLACK_URL": "slack-without-colon"}
    shown = [str(fault) for fault in check_addresses(WHOLE, environment, usable)]
    assert shown[0].startswith("11:10: routes.managers.to.1: this is no address that Apprise knows")
    assert shown[1] == "17:9: routes.directors.to: SECRET is not set; set it in the environment."
    assert check_addresses(WHOLE, {"SLACK_URL": "json://x", "SECRET": "s"}, usable) == []
    assert filled("mailto://a:${SECRET}@example.com", {"SECRET": "s"}) == "mailto://a:s@example.com"


def test_an_address_has_a_name_without_its_secret() -> None:
    route = read(WHOLE, "Europe/Oslo").rules.routes["managers"]
    first, second = (address_of(route, to) for to in route.to)
    assert first != second
    assert first.startswith("managers/")
    assert "SLACK" not in first


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_whatever_a_file_holds_is_rules_or_faults(raw: bytes) -> None:
    rules, found = read(raw, "Europe/Stockholm")
    assert bool(rules.routes) != bool(found)
