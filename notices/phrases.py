"""The words of the texts, by language. Numbers, money and dates are written by `figures`."""

from msgspec import Struct

from notices.rules import Language
from schemas.goals import AlertKind, Standing


class Phrases(Struct, frozen=True, kw_only=True):
    """One language's words; `{…}` stands for what `texts` puts there."""

    locale: str
    title: dict[AlertKind, str]
    course: dict[AlertKind, str]
    """What an earlier part of a story says, before its time."""
    standing: dict[Standing, str]
    company: str
    team: str
    seller: str
    customer: str
    of_target: str
    at_least: str
    at_most: str
    no_value: str
    """Of a ratio with nothing to divide by."""
    one_left: str
    many_left: str
    until: str
    last_day: str
    need: str
    need_and_mean: str
    leads: str
    forecast: str
    chance: str
    short_by: str
    over_by: str
    corrected: str
    course_was: str
    at_time: str
    on_day_at: str
    unacknowledged: str
    unacknowledged_title: str
    """Only slips are escalated."""
    acknowledge: str
    see_to_it: str
    """The same, where there are pages to do it on."""
    digest: str
    day: str
    days: str
    numbers: tuple[str, ...]
    """From one on; larger ones are written in figures."""
    on_day: str
    in_week: str
    in_month: str
    in_quarter: str
    in_year: str
    between: str
    date: str
    date_with_year: str
    month_with_year: str
    weekday_and_date: str


SWEDISH = Phrases(
    locale="sv_SE",
    title={
        "at_risk": "I riskzonen: {what}",
        "slipped": "Halkar efter: {what}",
        "recovered": "Åter i fas: {what}",
        "achieved": "Målet nått: {what}",
        "missed": "Målet missat: {what}",
        "corrected": "Rättat: {what}",
    },
    course={
        "at_risk": "i riskzonen {at}",
        "slipped": "halkade efter {at}",
        "recovered": "åter i fas {at}",
        "achieved": "nått {at}",
        "missed": "missat {at}",
        "corrected": "rättat {at}",
    },
    standing={
        "pending": "Perioden har inte börjat.",
        "on_track": "Målet är i fas.",
        "at_risk": "Målet är i riskzonen.",
        "slipped": "Målet har halkat efter.",
        "achieved": "Målet är nått.",
        "missed": "Målet är missat.",
    },
    company="Hela bolaget",
    team="Team {name}",
    seller="Säljare {name}",
    customer="Kund {name}",
    of_target="{value} av {target} {period}",
    at_least="{value} {period}, målet är minst {target}",
    at_most="{value} {period}, målet är högst {target}",
    no_value="inget värde ännu",
    one_left="en arbetsdag kvar",
    many_left="{count} arbetsdagar kvar",
    until="till och med {date}",
    last_day="sista arbetsdagen",
    need="Det behövs {need} per arbetsdag.",
    need_and_mean="Det behövs {need} per arbetsdag; snittet hittills är {mean}.",
    leads="Det behövs omkring {count} nya leads, om de ger lika mycket som på sistone.",
    forecast="Prognos: {forecast} ({low}–{high}).",
    chance="Sannolikheten att nå målet är {chance}.",
    short_by="{amount} fattades.",
    over_by="{amount} för mycket.",
    corrected="En avslutad period har ändrats i efterhand.",
    course_was="Förlopp: {course}.",
    at_time="{time}",
    on_day_at="{day} {time}",
    unacknowledged="Ingen har tagit hand om detta sedan {day} {time}.",
    unacknowledged_title="Halkar efter, och ingen har tagit hand om det: {what}",
    acknowledge="Ta hand om det: malvakt alerts --ack {id} --by NAMN",
    see_to_it="Ta hand om det: {pages}/manage/alerts",
    digest="Sammanfattning: {count} mål",
    day="{count} dag",
    days="{count} dagar",
    numbers=tuple("en två tre fyra fem sex sju åtta nio tio elva tolv".split()),
    on_day="den {day}",
    in_week="vecka {week}",
    in_month="i {month}",
    in_quarter="kvartal {quarter} {year}",
    in_year="{year}",
    between="{start}–{end}",
    date="d MMMM",
    date_with_year="d MMMM y",
    month_with_year="MMMM y",
    weekday_and_date="EEEE d MMMM",
)

ENGLISH = Phrases(
    locale="en_GB",
    title={
        "at_risk": "At risk: {what}",
        "slipped": "Slipping: {what}",
        "recovered": "Back on track: {what}",
        "achieved": "Goal reached: {what}",
        "missed": "Goal missed: {what}",
        "corrected": "Corrected: {what}",
    },
    course={
        "at_risk": "at risk {at}",
        "slipped": "slipped {at}",
        "recovered": "recovered {at}",
        "achieved": "reached {at}",
        "missed": "missed {at}",
        "corrected": "corrected {at}",
    },
    standing={
        "pending": "The period has not begun.",
        "on_track": "The goal is on track.",
        "at_risk": "The goal is at risk.",
        "slipped": "The goal has slipped.",
        "achieved": "The goal is reached.",
        "missed": "The goal is missed.",
    },
    company="The company",
    team="Team {name}",
    seller="Seller {name}",
    customer="Customer {name}",
    of_target="{value} of {target} {period}",
    at_least="{value} {period}, the goal is at least {target}",
    at_most="{value} {period}, the goal is at most {target}",
    no_value="nothing yet",
    one_left="one working day left",
    many_left="{count} working days left",
    until="until {date}",
    last_day="on the last working day",
    need="It takes {need} per working day.",
    need_and_mean="It takes {need} per working day; the average is {mean}.",
    leads="It takes about {count} new leads, if they bring as much as of late.",
    forecast="Forecast: {forecast} ({low} to {high}).",
    chance="The chance of reaching the goal is {chance}.",
    short_by="{amount} short.",
    over_by="{amount} too much.",
    corrected="A period that was over has changed afterwards.",
    course_was="What happened: {course}.",
    at_time="at {time}",
    on_day_at="on {day} at {time}",
    unacknowledged="Nobody has seen to this since {day} {time}.",
    unacknowledged_title="Slipping, and nobody has seen to it: {what}",
    acknowledge="See to it: malvakt alerts --ack {id} --by NAME",
    see_to_it="See to it: {pages}/manage/alerts",
    digest="Summary: {count} goals",
    day="{count} day",
    days="{count} days",
    numbers=tuple("one two three four five six seven eight nine ten eleven twelve".split()),
    on_day="on {day}",
    in_week="in week {week}",
    in_month="in {month}",
    in_quarter="in Q{quarter} {year}",
    in_year="in {year}",
    between="from {start} to {end}",
    date="d MMMM",
    date_with_year="d MMMM y",
    month_with_year="MMMM y",
    weekday_and_date="EEEE d MMMM",
)

PHRASES: dict[Language, Phrases] = {"sv": SWEDISH, "en": ENGLISH}
