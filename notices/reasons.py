"""What is wrong with a goal, or worth a second look, in words; of whoever sets it, in their language."""

from collections.abc import Callable
from datetime import date
from fractions import Fraction

from msgspec import Struct

from goals.periods import Span, named, window_of
from goals.reading import Remark
from goals.reasons import Code, Example, Field, Figure, Like, Percent, Reason
from kpis.calendar import Grain
from notices.rules import Language
from schemas.places import Finding

Naming = Callable[[str], str]
"""What a KPI is called, by its name in files."""


class Wording(Struct, frozen=True, kw_only=True):
    """How a language says it; `{…}` stands for what a reason is about."""

    sentences: dict[Code, str]
    grains: dict[Grain, str]
    many: dict[Grain, str]
    """The plural of each."""
    days: str
    either: str
    until: str
    point: str
    """Before decimals."""
    example: dict[Example, str]
    is_a: dict[Example, str]
    """What a target is a figure of."""


ENGLISH = Wording(
    sentences={
        "id_with_bar": "an id has no `|` in it, which stands between the parts of keys.",
        "years": "goals are for the years {first} to {last}.",
        "ends_before_it_begins": "the period ends before it begins: {dates}; turn the dates round.",
        "too_many_days": "the period has {days} days; at most {most} will do.",
        "over_all_time": (
            "{kpi} is a figure over all time, and changes too slowly for a period; set the goal for one"
            " that is counted anew in each, such as {kpis}."
        ),
        "no_such_window": "there is no {kpi} of a {grain}; there is one of a {grains}.",
        "counts_persons": (
            "{kpi} counts each person once, and so cannot be put together from days; write a whole day,"
            " week, month, quarter or year instead of {dates}."
        ),
        "compares_windows": (
            "{kpi} compares calendar windows with each other, and so cannot be put together from days;"
            " write a whole day, week, month, quarter or year instead of {dates}."
        ),
        "no_week_last_year": (
            "{kpi} counts each person once, and the same dates a year earlier are no whole week; compare it"
            " with the time right before, or set the goal for months, quarters or years."
        ),
        "over": "{span} is over, and a goal looks ahead; choose a later period.",
        "begun": "{span} has begun; what came in since counts.",
        "until_before_from": "it recurs until {until}, before it begins: {start}.",
        "no_whole_window": "no whole {grain} begins between {start} and {until}.",
        "ended": "it ended with {until}, and a goal looks ahead.",
        "not_the_first_day": (
            "{start} is not the first day of a {grain}; the first one that counts begins on {first}."
        ),
        "below_zero": "{kpi} is never below zero; write a target above it.",
        "nothing_to_do": "at least 0 is reached by doing nothing; how much {kpi} is wanted?",
        "above_the_whole": (
            "{kpi} is a part of a whole, and {percent} is above 100 %; write a share such as 35 %."
        ),
        "above_the_whole_perhaps_percent": (
            "{kpi} is a part of a whole, and {percent} is above 100 %; write {value} %."
        ),
        "perhaps_percent": "{value} is {percent}; if {value} % is meant, write the %.",
        "whole_numbers": "{kpi} has whole numbers, and {value} can never be met just so; round it.",
        "decimals": "{kpi} has at most {digits} decimals, and {value} can never be met just so; round it.",
        "change_of_a_change": (
            "{kpi} is a change already; write what it should be, as 14 %, without a sign."
        ),
        "nothing_left": "{percent} leaves nothing; write less than 100 %.",
        "no_change": "a change of 0 % asks for as much as before.",
        "less_is_better": (
            "of {kpi} less is better, and this asks for at least so much; at_most is probably meant."
        ),
        "more_is_better": (
            "of {kpi} more is better, and this asks for at most so much; at_least is probably meant."
        ),
        "other_way_less": "of {kpi} less is better, and {percent} goes the other way.",
        "other_way_more": "of {kpi} more is better, and {percent} goes the other way.",
        "no_scope": "`{written}` is no scope; write company, team:ID, seller:ID or customer:ID.",
        "scope_meant": "`{written}` is no scope; write {meant}.",
        "measure_no_kpi": (
            "`{written}` is a measure, and goals are set for KPIs; define one that shows it, with"
            ' formula = "{written}" (docs/definitions.md).'
        ),
        "no_kpi": "there is no KPI `{written}`.",
        "no_kpi_but": "there is no KPI `{written}`; did you mean `{meant}`?",
        "no_target": "`{written}` is no target; write {example}, or a change such as +14 %.",
        "neither_figure_nor_change": (
            "`{written}` is neither a figure nor a change; write +14 % for 14 % more."
        ),
        "no_share": "{kpi} is {is_a}, and no share; write {example}, or +{written} for a change.",
        "other_currency": "{kpi} is in {currency}, not in {unit}; write {example}.",
        "other_unit": "{kpi} is {is_a}, not in {unit}; write {example}.",
        "two_ways": "`{written}` can be read in two ways; write {thousands} or {decimals}.",
        "no_number": (
            "`{written}` is no number of at most 15 digits and 6 decimals, such as 1 500 000 or 0.35."
        ),
        "too_many_decimals": (
            "`{written}` has more decimals than are kept; four behind the point of a percentage do."
        ),
        "missing": "`{key}` is missing; write one, such as {key}: {example}.",
        "change_of_what": (
            "{written} of what? Write `against: span_before` for the time right before, or"
            " `against: last_year` for the same dates a year earlier."
        ),
        "against_nothing": (
            "only a change, such as +14 %, is measured against something; write the sign and %, or leave"
            " `against` out."
        ),
        "once_or_again": (
            "a goal has either one `period`, or recurs with `every` and `from`; leave one out."
        ),
        "no_time": (
            "the time is missing; write `period: 2026-Q2` (2026, 2026-Q2, 2026-04, 2026-W15, 2026-04-07 or"
            " 2026-04-07 to 2026-05-15), or `every: month` and `from: 2026-01-01`."
        ),
        "no_from": "`from` is missing: the date on which the first period begins.",
        "no_period": (
            "`{written}` is no period; write one as 2026, 2026-Q2, 2026-04, 2026-W15, 2026-04-07 or"
            " 2026-04-07 to 2026-05-15."
        ),
        "no_date": "`{written}` is no date, such as 2026-01-01.",
        "too_long": "this has {characters} characters; at most {most} are kept.",
        "never_measured": (
            "there is no {kpi} in what it is measured against; until there is, it asks for nothing."
        ),
        "best_so_far": (
            "your best {kind} of the last {count} was {best} ({span}); this asks for {asks}. On average it"
            " was {mean}."
        ),
        "lowest_so_far": (
            "your lowest {kind} of the last {count} was {best} ({span}); this asks for {asks}. On average"
            " it was {mean}."
        ),
        "another_scope": (
            "`{id}` is about {scope}, and no goal moves to another scope; retire it (malvakt goals retire"
            " {id}), and set one of {wanted} with another id."
        ),
        "nobody_reached": (
            "nobody of these has any {kpi} from {dates}; divide evenly, or by weights of your own."
        ),
        "among_nobody": "`{id}` is divided among nobody; name scopes such as seller:anna.",
        "no_weight": "all weights are zero; one must be above it.",
    },
    grains={grain: grain.value for grain in Grain},
    many={grain: f"{grain.value}s" for grain in Grain},
    days="{count} days",
    either=" or ",
    until="to",
    point=".",
    example={
        "money": "an amount such as 1 500 000 {currency}",
        "rate": "a share such as 35 %",
        "ratio": "a share such as 35 %, or 0.35",
        "number": "a number such as 1.4",
        "days": "days, such as 30 days",
        "count": "a number such as 42",
    },
    is_a={
        "money": "money, in {currency}",
        "rate": "a ratio",
        "ratio": "a ratio",
        "number": "a number",
        "days": "a number of days",
        "count": "a count",
    },
)

SWEDISH = Wording(
    sentences={
        "id_with_bar": "ett id har inget `|`, som skiljer delar av nycklar åt.",
        "years": "mål kan sättas för åren {first} till {last}.",
        "ends_before_it_begins": "perioden slutar innan den börjar: {dates}; vänd på datumen.",
        "too_many_days": "perioden har {days} dagar; den kan ha högst {most}.",
        "over_all_time": (
            "{kpi} gäller all tid och ändras för långsamt för en period; sätt målet för något som räknas om"
            " i varje period, till exempel {kpis}."
        ),
        "no_such_window": "{kpi} finns inte per {grain}, men per {grains}.",
        "counts_persons": (
            "{kpi} räknar varje person en gång och kan därför inte läggas ihop av dagar; skriv en hel dag,"
            " vecka, månad, ett helt kvartal eller år i stället för {dates}."
        ),
        "compares_windows": (
            "{kpi} jämför kalenderperioder med varandra och kan därför inte läggas ihop av dagar; skriv en"
            " hel dag, vecka, månad, ett helt kvartal eller år i stället för {dates}."
        ),
        "no_week_last_year": (
            "{kpi} räknar varje person en gång, och samma datum ett år tidigare är ingen hel vecka; jämför"
            " med tiden precis innan, eller sätt målet för månader, kvartal eller år."
        ),
        "over": "{span} är över, och ett mål ser framåt; välj en senare period.",
        "begun": "{span} har börjat; det som har kommit in sedan dess räknas.",
        "until_before_from": "det upprepas till {until}, men börjar först {start}.",
        "no_whole_window": "ingen hel period (per {grain}) börjar mellan {start} och {until}.",
        "ended": "det slutade {until}, och ett mål ser framåt.",
        "not_the_first_day": (
            "{start} är inte första dagen i perioden (per {grain}); den första som räknas börjar {first}."
        ),
        "below_zero": "{kpi} är aldrig under noll; skriv ett mål över noll.",
        "nothing_to_do": "minst 0 nås utan att någon gör något; hur mycket önskas ({kpi})?",
        "above_the_whole": (
            "{kpi} är en del av en helhet, och {percent} är mer än 100 %; skriv en andel som 35 %."
        ),
        "above_the_whole_perhaps_percent": (
            "{kpi} är en del av en helhet, och {percent} är mer än 100 %; skriv {value} %."
        ),
        "perhaps_percent": "{value} är {percent}; om {value} % menas, skriv ut procenttecknet.",
        "whole_numbers": "{kpi} är alltid ett heltal, och {value} går aldrig att träffa; avrunda det.",
        "decimals": "{kpi} har högst {digits} decimaler, och {value} går aldrig att träffa; avrunda det.",
        "change_of_a_change": (
            "{kpi} är redan en förändring; skriv vad den ska vara, som 14 %, utan plus eller minus."
        ),
        "nothing_left": "{percent} lämnar ingenting kvar; skriv mindre än 100 %.",
        "no_change": "en förändring på 0 % kräver lika mycket som förut.",
        "less_is_better": "mindre är bättre ({kpi}), och det här kräver minst så mycket; menas högst?",
        "more_is_better": "mer är bättre ({kpi}), och det här tillåter högst så mycket; menas minst?",
        "other_way_less": "mindre är bättre ({kpi}), och {percent} går åt andra hållet.",
        "other_way_more": "mer är bättre ({kpi}), och {percent} går åt andra hållet.",
        "no_scope": "`{written}` går inte; skriv company, team:ID, seller:ID eller customer:ID.",
        "scope_meant": "`{written}` går inte; skriv {meant}.",
        "measure_no_kpi": (
            "`{written}` är ett mått, och mål sätts för nyckeltal; definiera ett som visar det, med"
            ' formula = "{written}" (docs/definitions.md).'
        ),
        "no_kpi": "det finns inget nyckeltal `{written}`.",
        "no_kpi_but": "det finns inget nyckeltal `{written}`; menas `{meant}`?",
        "no_target": "`{written}` är inget mål; skriv {example}, eller en förändring som +14 %.",
        "neither_figure_nor_change": (
            "`{written}` är varken en siffra eller en förändring; skriv +14 % för 14 % mer."
        ),
        "no_share": (
            "{kpi} är {is_a}, och ingen andel; skriv {example}, eller +{written} för en förändring."
        ),
        "other_currency": "{kpi} är i {currency}, inte i {unit}; skriv {example}.",
        "other_unit": "{kpi} är {is_a}, inte i {unit}; skriv {example}.",
        "two_ways": "`{written}` kan läsas på två sätt; skriv {thousands} eller {decimals}.",
        "no_number": (
            "`{written}` är inget tal med högst 15 siffror och 6 decimaler, som 1 500 000 eller 0,35."
        ),
        "too_many_decimals": (
            "`{written}` har fler decimaler än som sparas; i procent räcker fyra efter kommat."
        ),
        "missing": "det här saknas; skriv till exempel {example}.",
        "change_of_what": (
            "{written} av vad? Välj vad det jämförs med: tiden precis innan, eller samma tid i fjol."
        ),
        "against_nothing": (
            "bara en förändring, som +14 %, jämförs med något; skriv ut plus eller minus och %, eller"
            " jämför inte."
        ),
        "once_or_again": "ett mål har antingen en period, eller upprepas från en dag; ta bort det ena.",
        "no_time": (
            "tiden saknas; skriv en period (2026, 2026-Q2, 2026-04, 2026-W15, 2026-04-07 eller 2026-04-07"
            " till 2026-05-15), eller hur ofta målet upprepas och från vilken dag."
        ),
        "no_from": "dagen då den första perioden börjar saknas.",
        "no_period": (
            "`{written}` är ingen period; skriv den som 2026, 2026-Q2, 2026-04, 2026-W15, 2026-04-07 eller"
            " 2026-04-07 till 2026-05-15."
        ),
        "no_date": "`{written}` är inget datum, som 2026-01-01.",
        "too_long": "det här har {characters} tecken; högst {most} sparas.",
        "never_measured": (
            "det finns inget att jämföra med ({kpi}); tills det finns kräver målet ingenting."
        ),
        "best_so_far": (
            "det bästa under de senaste {count} {kinds} var {best} ({span}); det här kräver {asks}. I"
            " snitt var det {mean}."
        ),
        "lowest_so_far": (
            "det lägsta under de senaste {count} {kinds} var {best} ({span}); det här kräver {asks}. I"
            " snitt var det {mean}."
        ),
        "another_scope": (
            "`{id}` gäller {scope}, och ett mål kan inte flyttas till någon annan; avsluta det, och sätt"
            " ett nytt för {wanted}."
        ),
        "nobody_reached": (
            "ingen av dem nådde något ({kpi}) från {dates}; dela upp lika, eller efter egna vikter."
        ),
        "among_nobody": "det delas inte upp på någon; välj vilka som ska nå det tillsammans.",
        "no_weight": "alla vikter är noll; minst en måste vara större.",
    },
    grains={
        Grain.DAY: "dag",
        Grain.WEEK: "vecka",
        Grain.MONTH: "månad",
        Grain.QUARTER: "kvartal",
        Grain.YEAR: "år",
        Grain.EVER: "all tid",
    },
    many={
        Grain.DAY: "dagarna",
        Grain.WEEK: "veckorna",
        Grain.MONTH: "månaderna",
        Grain.QUARTER: "kvartalen",
        Grain.YEAR: "åren",
        Grain.EVER: "all tid",
    },
    days="perioderna om {count} dagar",
    either=" eller ",
    until="till",
    point=",",
    example={
        "money": "ett belopp som 1 500 000 {currency}",
        "rate": "en andel som 35 %",
        "ratio": "en andel som 35 %, eller 0,35",
        "number": "ett tal som 1,4",
        "days": "dagar, som 30 dagar",
        "count": "ett tal som 42",
    },
    is_a={
        "money": "pengar, i {currency}",
        "rate": "en kvot",
        "ratio": "en kvot",
        "number": "ett tal",
        "days": "ett antal dagar",
        "count": "ett antal",
    },
)

WORDING: dict[Language, Wording] = {"sv": SWEDISH, "en": ENGLISH}


def sentence(reason: Reason | str, language: Language = "en", name_of: Naming = str) -> str:
    """A reason in words; KPIs are called as in files, unless it is said how. What is only in files is said
    in words already."""
    if isinstance(reason, str):
        return reason
    wording = WORDING[language]
    said: dict[str, str] = {}
    for key, field in reason.about.items():
        said |= _said(key, field, wording, name_of)
    return wording.sentences[reason.code].format_map(said)


def finding(remark: Remark) -> Finding:
    """What is to be said of a file, to whoever wrote it."""
    return Finding(remark.line, remark.column, remark.what, sentence(remark.said), remark.warning)


def _said(key: str, field: Field, wording: Wording, name_of: Naming) -> dict[str, str]:
    """What stands for a field; for some of them in more than one form."""
    match field:
        case Span():
            dates = str(field).replace(" to ", f" {wording.until} ")
            return {key: dates if window_of(field) is None else named(field), "dates": dates}
        case Grain():
            return {key: wording.grains[field], f"{key}s": wording.many[field]}
        case int() if key == "kind":
            return dict.fromkeys((key, f"{key}s"), wording.days.format(count=field))
        case _:
            return {key: _text(key, field, wording, name_of)}


def _text(
    key: str,
    field: str | int | Fraction | Percent | Figure | date | Like | tuple[str, ...] | tuple[Grain, ...],
    wording: Wording,
    name_of: Naming,
) -> str:
    said = name_of if key in {"kpi", "kpis"} else str
    match field:
        case Percent(share):
            text = f"{_plain(share * 100, wording)} %"
        case Figure(figure):
            text = figure.replace(".", wording.point)
        case Like(kind, currency):
            shapes = wording.is_a if key == "is_a" else wording.example
            text = shapes[kind].format(currency=currency)
        case Fraction():
            text = _plain(field, wording)
        case tuple():
            names = [wording.grains[one] if isinstance(one, Grain) else said(one) for one in field]
            text = wording.either.join(names)
        case str():
            text = said(field)
        case _:
            text = str(field)
    return text


def _plain(value: Fraction, wording: Wording) -> str:
    """A number of at most six decimals, as people write it."""
    if value.denominator == 1:
        return str(value.numerator)
    return f"{float(value):.6f}".rstrip("0").rstrip(".").replace(".", wording.point)
