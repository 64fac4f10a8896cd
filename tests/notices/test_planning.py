"""What is told when: nothing is lost, nothing is told twice, and nobody is disturbed in quiet hours."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from holidays import country_holidays
from hypothesis import given
from hypothesis import strategies as st

from notices.hours import Hours, Quiet, after_open, instant, is_open, next_open
from notices.planning import Known, Message, due_at, plan
from notices.rules import Daily, Escalation, Hourly, Immediately, Route, Rules
from schemas.goals import Alert, AlertKind
from schemas.notices import Ack, Stage
from tests.notices.alerts import alert

STOCKHOLM = ZoneInfo("Europe/Stockholm")
SWEDISH = country_holidays("SE", categories=("public", "de_facto"))
ALL: frozenset[AlertKind] = frozenset(
    {"at_risk", "slipped", "recovered", "achieved", "missed", "corrected"}
)
START = datetime(2026, 3, 26, tzinfo=UTC)
"""A Thursday. On Sunday clocks go forward, and the Friday after is Good Friday."""
OFFICE = Hours("Europe/Stockholm", Quiet(time(18), time(8)), frozenset(range(5)), "SE")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=STOCKHOLM).astimezone(UTC)


def route(name: str = "managers", hours: Hours = OFFICE, **own: object) -> Route:
    given: dict[str, object] = {"scopes": ("*",), "kinds": ALL, "severity": "info", **own}
    return Route(name=name, to=("json://x",), language="sv", hours=hours, **given)  # pyright: ignore[reportArgumentType]


def rules(*routes: Route) -> Rules:
    return Rules({each.name: each for each in routes})


def known(alerts: Sequence[Alert], done: set[tuple[Stage, str]], acks: Sequence[Ack] = ()) -> Known:
    return Known({each.id: each for each in alerts}, {ack.alert: ack for ack in acks}, done, START)


def told(told_route: Route, *alerts: Alert, now: str) -> list[list[str]]:
    """The kinds of alerts in each message that is sent now."""
    found = plan(rules(told_route), told_route, known(alerts, set()), at(now))
    return [[each.kind for story in message.stories for each in story] for message in found.messages]


def test_a_slip_at_night_is_told_in_the_morning() -> None:
    slip = alert(at=at("2026-03-26T22:00"))
    assert told(route(), slip, now="2026-03-27T07:59") == []
    assert told(route(), slip, now="2026-03-27T08:00") == [["slipped"]]


def test_a_slip_that_recovered_before_it_was_told_is_one_story() -> None:
    slip, recovery = (
        alert("slipped", at("2026-03-27T20:00")),
        alert("recovered", at("2026-03-28T02:00")),
    )
    assert told(route(), slip, recovery, now="2026-03-30T08:00") == [["slipped", "recovered"]]


def test_stories_of_several_goals_are_messages_of_their_own_or_one_digest() -> None:
    slips = [alert(at=at("2026-03-30T10:00"), goal=goal) for goal in ("a", "b")]
    assert told(route(), *slips, now="2026-03-30T10:00") == [["slipped"], ["slipped"]]
    hourly = route(digest=Hourly())
    assert told(hourly, *slips, now="2026-03-30T10:59") == [["slipped", "slipped"]]
    late = [alert(at=at("2026-03-30T10:01"), goal=goal) for goal in ("a", "b")]
    assert told(hourly, *late, now="2026-03-30T10:59") == []
    assert told(hourly, *late, now="2026-03-30T11:00") == [["slipped", "slipped"]]


def test_a_daily_digest_waits_for_a_working_day() -> None:
    """After Thursday the 2nd of April comes Easter, until Tuesday."""
    slip = alert(at=at("2026-04-02T09:00"))
    assert due_at(route(digest=Daily(time(8, 30))), slip) == at("2026-04-07T08:30")


def test_what_was_not_told_before_the_route_closed_waits_until_it_opens() -> None:
    slip = alert(at=at("2026-03-27T17:59"))
    found = plan(rules(route()), route(), known([slip], set()), at("2026-03-27T18:00"))
    assert found.messages == ()
    assert found.next == at("2026-03-30T08:00")


def test_a_route_hears_of_its_scopes_kinds_and_severities() -> None:
    north = alert(scope="team:north", owner="anna")
    now = "2026-03-30T10:00"
    heard = {
        "*": 1,
        "team:*": 1,
        "team:north": 1,
        "owner:anna": 1,
        "owner:*": 1,
        "team:south": 0,
        "company": 0,
    }
    heard |= {"seller:*": 0, "owner:bo": 0}
    for scope, count in heard.items():
        assert len(told(route(scopes=(scope,)), north, now=now)) == count, scope
    assert told(route(kinds=frozenset({"recovered"})), north, now=now) == []
    assert told(route(severity="critical"), north, now=now) == [["slipped"]]
    assert told(route(severity="critical"), alert("at_risk"), now=now) == []


def test_a_slip_that_nobody_acknowledges_is_escalated_once_four_working_hours_later() -> None:
    managers = route(escalate=Escalation(timedelta(hours=4), "directors"))
    directors = route("directors", scopes=())
    both = rules(managers, directors)
    slip = alert(at=at("2026-03-27T16:00"))
    for now, sent in (("2026-03-27T17:59", 0), ("2026-03-30T09:59", 0), ("2026-03-30T10:00", 1)):
        found = plan(both, directors, known([slip], set()), at(now))
        assert [message.stage for message in found.messages] == ["escalated"] * sent
    ack = Ack(slip.id, "anna", at("2026-03-30T08:30"))
    seen_to = plan(both, directors, known([slip], set(), [ack]), at("2026-03-30T10:00"))
    assert (seen_to.messages, seen_to.moot) == ((), (slip.id,))
    over = [slip, alert("recovered", at("2026-03-30T09:00"))]
    ended = plan(both, directors, known(over, set()), at("2026-03-30T10:00"))
    assert (ended.messages, ended.moot) == ((), (slip.id,))
    again = plan(both, directors, known([slip], {("escalated", slip.id)}), at("2026-04-30T10:00"))
    assert (again.messages, again.unsettled) == ((), frozenset())


def test_what_came_about_before_an_address_was_opened_is_history_to_it() -> None:
    assert told(route(), alert(at=START - timedelta(seconds=1)), now="2026-03-30T10:00") == []


def test_open_hours_are_counted_over_a_change_of_clocks() -> None:
    """The night in which clocks go forward has an hour less."""
    always = Hours("Europe/Stockholm")
    assert after_open(always, at("2026-03-28T23:00"), timedelta(hours=5)) == at("2026-03-29T05:00")
    nights = Hours("Europe/Stockholm", Quiet(time(8), time(22)))
    assert after_open(nights, at("2026-03-28T22:00"), timedelta(hours=9)) == at("2026-03-29T08:00")


QUIETS = st.sampled_from(
    [None, Quiet(time(18), time(8)), Quiet(time(12), time(13)), Quiet(time(1), time(5))]
)
HOURS = st.builds(
    Hours,
    st.just("Europe/Stockholm"),
    QUIETS,
    st.sampled_from([frozenset(range(7)), frozenset(range(5)), frozenset({2, 6})]),
    st.sampled_from([None, "SE"]),
)
DIGESTS = st.sampled_from([Immediately(), Hourly(), Daily(time(8, 30)), Daily(time(16))])
MINUTES = st.integers(0, 10 * 24 * 60)


def is_quiet(hours: Hours, when: datetime) -> bool:
    """Straight from what quiet hours and working days mean."""
    shown = when.astimezone(STOCKHOLM)
    if shown.weekday() not in hours.weekdays:
        return True
    if hours.country and shown.date() in SWEDISH:
        return True
    quiet, clock = hours.quiet, shown.time()
    if quiet is None:
        return False
    inside = clock >= quiet.start, clock < quiet.end
    return all(inside) if quiet.start < quiet.end else any(inside)


@given(HOURS, MINUTES, st.integers(0, 48 * 60))
def test_open_hours_are_those_that_are_not_quiet(hours: Hours, minute: int, working: int) -> None:
    now = START + timedelta(minutes=minute)
    assert is_open(hours, now) == (not is_quiet(hours, now))
    opens = next_open(hours, now)
    assert not is_quiet(hours, opens)
    step = timedelta(minutes=1)
    assert opens == now or is_quiet(hours, opens - step)
    # So many open minutes lie between.
    end = after_open(hours, now, timedelta(minutes=working))
    minutes = int((end - now) / step)
    assert sum(not is_quiet(hours, now + step * count) for count in range(minutes)) == working


class Life(NamedTuple):
    """What happens in some days."""

    routes: tuple[Route, Route]
    alerts: list[Alert]
    acks: list[Ack]


@st.composite
def lives(draw: Callable[[st.SearchStrategy[object]], object]) -> Life:
    managers = route(
        hours=draw(HOURS),  # pyright: ignore[reportArgumentType]
        digest=draw(DIGESTS),
        kinds=draw(st.frozensets(st.sampled_from(sorted(ALL)), min_size=1)),
        escalate=Escalation(timedelta(hours=draw(st.integers(1, 30))), "directors"),  # pyright: ignore[reportArgumentType]
    )
    directors = route("directors", hours=draw(HOURS), digest=draw(DIGESTS), scopes=())  # pyright: ignore[reportArgumentType]
    alerts: list[Alert] = []
    for goal in ("a", "b", "c"):
        minutes: list[int] = sorted(draw(st.lists(MINUTES, max_size=5, unique=True)))  # pyright: ignore[reportArgumentType, reportAssignmentType]
        for count, minute in enumerate(minutes):
            kind: AlertKind = draw(st.sampled_from(sorted(ALL)))  # pyright: ignore[reportAssignmentType, reportArgumentType]
            alerts.append(alert(kind, START + timedelta(minutes=minute), count, goal=goal))
    alerts.sort(key=lambda each: each.at)
    acked: list[Alert] = draw(st.lists(st.sampled_from(alerts), unique_by=id)) if alerts else []  # pyright: ignore[reportAssignmentType, reportArgumentType]
    acks = [
        Ack(each.id, "anna", each.at + timedelta(minutes=draw(st.integers(0, 2_000)))) for each in acked
    ]  # pyright: ignore[reportArgumentType]
    return Life((managers, directors), alerts, acks)


class Sent(NamedTuple):
    """A message that a route was sent."""

    at: datetime
    message: Message

    @property
    def ids(self) -> list[str]:
        return [each.id for story in self.message.stories for each in story]


def lived(life: Life, told_route: Route, fails: Callable[[int], bool] = lambda _: False) -> list[Sent]:
    """All that is sent, where the clock goes to what comes next: an alert, an ack, or what a plan says."""
    both = rules(*life.routes)
    done: set[tuple[Stage, str]] = set()
    sent: list[Sent] = []
    tries = 0
    now = START
    end = START + timedelta(days=60)
    while now < end:
        alerts = [each for each in life.alerts if each.at <= now]
        acks = [ack for ack in life.acks if ack.at <= now]
        found = plan(both, told_route, known(alerts, done, acks), now)
        done |= {("escalated", name) for name in found.moot}
        again = end
        for message in found.messages:
            tries += 1
            if fails(tries):
                again = now + timedelta(minutes=5)
                continue
            sent.append(Sent(now, message))
            done |= {(note.stage, note.alert) for note in message.notes("x", now)}
        comes = [each.at for each in (*life.alerts, *life.acks) if each.at > now]
        now = min([end, again, *comes, *filter(None, [found.next])])
    left = plan(both, told_route, known(life.alerts, done, life.acks), end)
    assert (left.messages, left.unsettled) == ((), frozenset())
    for count in range(len(life.alerts) + 1):
        # The topic comes again, and somebody looks in the middle of it, when all of it is long ago.
        replayed = plan(both, told_route, known(life.alerts[:count], done, life.acks), end)
        assert (replayed.messages, replayed.unsettled) == ((), frozenset())
    return sent


@given(lives())
def test_every_alert_is_told_once_and_when_it_is_due(life: Life) -> None:
    managers, _ = life.routes
    sent = lived(life, managers)
    heard = [each.id for each in life.alerts if each.kind in managers.kinds]
    assert Counter(name for each in sent for name in each.ids) == Counter(heard)
    for each in sent:
        assert not is_quiet(managers.hours, each.at)
        assert each.at == each.message.due
        assert len({alert.status.key for story in each.message.stories for alert in story}) == len(
            each.message.stories
        )
    if isinstance(managers.digest, Daily):
        assert all(each.at.astimezone(STOCKHOLM).time() == managers.digest.at for each in sent)


@given(lives(), st.randoms(use_true_random=False))
def test_an_address_that_fails_hears_of_everything_once_it_answers(life: Life, random: object) -> None:
    """And in no quiet hour, however long it took."""
    managers, _ = life.routes
    sent = lived(life, managers, lambda tries: tries < 200 and bool(random.getrandbits(1)))  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownArgumentType]
    heard = [each.id for each in life.alerts if each.kind in managers.kinds]
    assert Counter(name for each in sent for name in each.ids) == Counter(heard)
    assert not any(is_quiet(managers.hours, each.at) for each in sent)


@given(lives())
def test_slips_that_nobody_sees_to_are_escalated_once_and_no_others(life: Life) -> None:
    managers, directors = life.routes
    assert managers.escalate is not None
    sent = lived(life, directors)
    acked = {ack.alert: ack.at for ack in life.acks}
    expected: dict[str, datetime] = {}
    for slip in life.alerts:
        if slip.kind == "slipped" and "slipped" in managers.kinds:
            deadline = after_open(managers.hours, due_at(managers, slip), managers.escalate.after)
            due = next_open(directors.hours, deadline)
            ends = [
                each.at
                for each in life.alerts
                if each.status.key == slip.status.key
                and each.at >= slip.at
                and each.kind in {"recovered", "achieved", "missed"}
            ]
            if all(
                moment > due for moment in [*ends, acked.get(slip.id, datetime.max.replace(tzinfo=UTC))]
            ):
                expected[slip.id] = due
    assert {name: each.at for each in sent for name in each.ids} == expected
    assert sum(len(each.ids) for each in sent) == len(expected)
    assert not any(is_quiet(directors.hours, each.at) for each in sent)


def test_a_time_that_clocks_skip_is_told_after_it() -> None:
    """Clocks go from two to three; half past two comes with them."""
    assert instant(OFFICE, at("2026-03-29T12:00").date(), time(2, 30)) == at("2026-03-29T03:30")
