"""What is said of definitions in a file: each fault at its line and column, all of them at once."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpis.definitions.checking import MAX_CONDITIONS, MAX_DEFINITIONS, MAX_VALUES, checked
from kpis.definitions.countable import COUNTABLE
from kpis.definitions.faults import MAX_NAME
from kpis.definitions.reading import MAX_BYTES, read
from kpis.definitions.vocabulary import vocabulary
from schemas.definitions import (
    Definitions,
    KpiDefinition,
    MeasureDefinition,
)

GOOD = """
[measures.demos_booked]
event = "activity.logged"
where = { kind = "meeting_booked", campaign = ["demo", "demo 2"], hot = true, size = 3 }
count = "each"
name = { sv = "Bokade demor", en = "Demos booked" }

[measures.licences]
event = "deal.won"
count = "sum licences sold"

[kpis.demo_rate]
formula = "demos_booked / contacts"
unit = "ratio"
better = "higher"
name = { sv = "Demograd" }
"""


def faults_of(text: str) -> list[str]:
    return [str(fault) for fault in read(text.encode(), vocabulary()).faults]


def test_sound_definitions_are_read() -> None:
    """As they are said, a single value as a list of one."""
    definitions, faults = read(GOOD.encode(), vocabulary())
    assert not faults
    assert definitions == Definitions(
        {
            "demos_booked": MeasureDefinition(
                event="activity.logged",
                where={
                    "kind": ("meeting_booked",),
                    "campaign": ("demo", "demo 2"),
                    "hot": (True,),
                    "size": (3,),
                },
                name={"sv": "Bokade demor", "en": "Demos booked"},
            ),
            "licences": MeasureDefinition(event="deal.won", count="sum licences sold"),
        },
        {
            "demo_rate": KpiDefinition(
                formula="demos_booked / contacts", unit="ratio", better="higher", name={"sv": "Demograd"}
            )
        },
    )


def test_every_fault_is_told_at_once_and_where() -> None:
    """In the order of the file."""
    text = """\
[measures.demos]
event = "activity.loged"
wher = { kind = "call" }

[measures.hits]
event = "activity.logged"
where = { kind = ["call", "metting_held"] }
count = "distinct persons"

[kpis.close_rate]
formula = "demoes / (contacts + hitss)"
unit = "percent"
name = { english = "" }
"""
    assert faults_of(text) == [
        "2:9: measures.demos.event: there is no event type `activity.loged`; did you mean"
        " `activity.logged`?",
        "3:1: measures.demos.wher: a measure has no `wher`; did you mean `where`?",
        "7:27: measures.hits.where.kind: `kind` of an activity is never `metting_held`; did you mean"
        " `meeting_held`?",
        "8:9: measures.hits.count: `distinct persons` is none of each, distinct person, sum FIELD.",
        "10:7: kpis.close_rate: a KPI needs `better`, which is missing.",
        "11:12: kpis.close_rate.formula: there is no measure `demoes`; did you mean `demos`?",
        "11:33: kpis.close_rate.formula: there is no measure `hitss`; did you mean `hits`?",
        "12:8: kpis.close_rate.unit: `percent` is none of ratio, number, count, money, days.",
        "13:10: kpis.close_rate.name.english: `english` is no language; write two letters, as sv or en.",
        "13:20: kpis.close_rate.name.english: a name has 1 to 128 characters; this one has 0.",
    ]


MEASURE = '[measures.m]\nevent = "{}"\n'
KPI = '[kpis.k]\nformula = "calls"\nunit = "count"\nbetter = "higher"\nname = { en = "K" }\n'
FORMULA = '[kpis.k]\nformula = {}\nunit = "count"\nbetter = "higher"\nname = {{ en = "K" }}\n'

WRONG = [
    ("a = ", "1:4: this is no valid TOML"),
    ("[kpis.k]\n[kpis.k]", "2:8: this is no valid TOML"),
    ("a = [[[", "this is no valid TOML"),
    ("a = " + "[" * 4_000, "1:1: keys, lists or tables nest too deep."),
    (".".join("abcdefghijklmnopqrstu") + " = 1", "1:1: keys, lists or tables nest too deep."),
    ("\n#" + "x" * 4096, "2:4096: a line has at most 4096 characters"),
    ("[measure.m]", "1:2: measure: a file of definitions has no `measure`; did you mean `measures`?"),
    ("[goals]", "1:2: goals: a file of definitions has no `goals`. It has measures, kpis."),
    ("measures = 3", "1:12: measures: this is a number; write a table, such as [measures.demos]."),
    ("[measures]\nm = 'x'", "2:5: measures.m: this is a text; write a table"),
    ("[[kpis]]", "1:3: kpis: this is a list; write a table"),
    ("[measures.m]", "1:11: measures.m: a measure needs `event`, which is missing."),
    (
        MEASURE.format("deal.amended"),
        "2:9: measures.m.event: `deal.amended` cannot be counted: what it states",
    ),
    (
        MEASURE.format("lead.deleted"),
        "2:9: measures.m.event: `lead.deleted` cannot be counted: what was deleted",
    ),
    (MEASURE.format("x"), "there is no event type `x`. Those that can be counted: lead.created,"),
    ("[measures.m]\nevent = 1", "2:9: measures.m.event: this is a number; write a text, in quotes."),
    (MEASURE.format("deal.won") + "where = 'x'", "3:9: measures.m.where: this is a text; write a table"),
    (
        MEASURE.format("deal.won") + "where = { value = '1' }",
        "3:19: measures.m.where.value: `value` of a deal is an am",
    ),
    (MEASURE.format("deal.won") + "where = { won_at = '1' }", "`won_at` of a deal is an instant, and"),
    (
        MEASURE.format("deal.won") + "where = { seller = true }",
        "is a text in quotes, and never true or false",
    ),
    (MEASURE.format("deal.won") + "where = { expected_close = '1 May' }", "write it as 2026-03-31"),
    (
        MEASURE.format("deal.won") + "where = { expected_close = 2026-05-01 }",
        "this is a date or time without quotes",
    ),
    (MEASURE.format("deal.won") + "where = { product = [] }", "the list is empty"),
    (
        MEASURE.format("deal.won") + "where = { x = [['y']] }",
        "3:16: measures.m.where.x: this is a list; a condition asks",
    ),
    (
        MEASURE.format("deal.won") + "where = { x = { y = 1 } }",
        "3:15: measures.m.where.x: this is a table; a condition",
    ),
    (MEASURE.format("deal.won") + "where = { x = nan }", "no field has such a number"),
    (MEASURE.format("deal.won") + "where = { x = 9007199254740993 }", "no field has such a number"),
    (MEASURE.format("deal.won") + f"where = {{ x = '{'y' * 1025}' }}", "the text has 1025 characters"),
    (
        MEASURE.format("deal.won") + "where = { '' = 1 }",
        "3:11: measures.m.where.: the name of a field has 1 to",
    ),
    (
        MEASURE.format("deal.won") + f"where = {{ x = {list(range(MAX_VALUES + 1))} }}",
        "the list has 101 values",
    ),
    (
        MEASURE.format("deal.won") + "".join(f"where.x{n} = 1\n" for n in range(MAX_CONDITIONS + 1)),
        "3:1: measures.m.where: there are 17 conditions",
    ),
    (
        MEASURE.format("cost.logged") + "where = { category = 'salry' }",
        "never `salry`; did you mean `salary`?",
    ),
    (MEASURE.format("cost.logged") + "where = { category = 'x' }", "never `x`. It is one of salary, time,"),
    (
        MEASURE.format("deal.won") + "count = 'distinct person'",
        "persons are told apart in activity.logged only",
    ),
    (MEASURE.format("deal.won") + "count = 'sum'", "`sum` is none of each, distinct person, sum FIELD."),
    (
        MEASURE.format("deal.won") + "count = 'sum product'",
        "is a text and cannot be summed; did you mean `sum value`?",
    ),
    (
        MEASURE.format("deal.won") + "count = 'sum amount'",
        "a deal has no `amount` of money; did you mean `sum value`?",
    ),
    (
        MEASURE.format("cost.logged") + "count = 'sum value'",
        "a cost has no `value` of money; did you mean `sum amount`?",
    ),
    (
        MEASURE.format("activity.logged") + "count = 'sum value'",
        "has no `value` of money. A number of your own needs",
    ),
    (
        MEASURE.format("lead.created") + "count = 'sum person'",
        "`person` of a lead is a text and cannot be summed.",
    ),
    (
        MEASURE.format("deal.won") + f"count = 'sum {'x' * 129}'",
        "the name of a field has 1 to 128 characters",
    ),
    (
        MEASURE.format("deal.won").replace(".m", ".Demo"),
        "1:11: measures.Demo: `Demo` cannot be a name; a name has 1 to 64",
    ),
    (MEASURE.format("deal.won").replace(".m", f".{'x' * 65}"), "cannot be a name; a name has 1 to 64"),
    (MEASURE.format("deal.won").replace(".m", ".'m\\n'"), "1:11: measures.m\\n: `m\\n` cannot be a name"),
    (
        MEASURE.format("deal.won").replace(".m", ".revenue"),
        "`revenue` is the name of a measure that is there already",
    ),
    (
        MEASURE.format("deal.won").replace(".m", ".hit_rate"),
        "`hit_rate` is the name of a KPI that is there already",
    ),
    (MEASURE.format("deal.won").replace(".m", ".seller"), "`seller` is the name of a field of events"),
    (KPI.replace(".k", ".revision"), "1:7: kpis.revision: `revision` is the name of a part of the records"),
    (KPI.replace(".k", ".calls"), "`calls` is the name of a measure that is there already"),
    (
        KPI.replace("kpis.k", "kpis.m") + MEASURE.format("deal.won"),
        "1:7: kpis.m: a measure here has the same name",
    ),
    (KPI.replace('"higher"', '"more"'), "4:10: kpis.k.better: `more` is none of higher, lower."),
    (KPI.replace('{ en = "K" }', "{}"), "5:8: kpis.k.name: a name in at least one language is needed"),
    (KPI.replace('{ en = "K" }', '"K"'), "5:8: kpis.k.name: this is a text; write a table, such as { en ="),
    (KPI.replace('"K"', "3"), "5:15: kpis.k.name.en: this is a number; write a text"),
    (KPI.replace('"K"', f'"{"k" * (MAX_NAME + 1)}"'), "a name has 1 to 128 characters; this one has 129."),
    (
        KPI.replace('en = "K"', ", ".join(f'a{chr(98 + n)} = "K"' for n in range(17))),
        "5:8: kpis.k.name: there are 17 languages",
    ),
    (FORMULA.format("3"), "2:11: kpis.k.formula: this is a number; write a text"),
    (FORMULA.format('"calls / 0"'), "2:20: kpis.k.formula: this is a division by zero, always."),
    (
        FORMULA.format("'''\ncalls\n / clls'''"),
        "4:4: kpis.k.formula: there is no measure `clls`; did you mean",
    ),
    (FORMULA.format('"1 + 2"'), "2:12: kpis.k.formula: a formula reads at least one measure"),
    (
        FORMULA.format('"hit_rate / calls"'),
        "`hit_rate` is a KPI, and formulas read measures only. Write what",
    ),
    (FORMULA.format('"k / calls"'), "there is no measure `k`"),
    (FORMULA.format('"\\u0063alls / 0"'), "2:11: kpis.k.formula: this is a division by zero"),
    (
        "".join(f'[measures.m{n}]\nevent = "deal.won"\n' for n in range(MAX_DEFINITIONS + 1)),
        "1:2: measures: there are 101 measures; at most 100 will do.",
    ),
]


@pytest.mark.parametrize(("text", "sentence"), WRONG, ids=[sentence[:60] for _, sentence in WRONG])
def test_what_cannot_be_used_is_told(text: str, sentence: str) -> None:
    """Just that, and nothing besides."""
    [fault] = faults_of(text)
    assert sentence in fault, fault


def test_nothing_is_defined_where_there_is_a_fault() -> None:
    """Half of what was meant is not what was meant."""
    assert read((GOOD + "[kpis.x]").encode(), vocabulary()).definitions == Definitions()


def test_a_caret_stands_beneath_what_is_wrong() -> None:
    """In the line as it is written; in the formula alone, where escapes make them differ; cut, if long."""
    shown = [
        read(FORMULA.format(formula).encode(), vocabulary()).faults[0].shown
        for formula in ('"calls / clls"', '"calls \\u002F clls"', f'"{"calls + " * 60}clls"')
    ]
    assert shown[0] == 'formula = "calls / clls"\n                   ^'
    assert shown[1] == "calls / clls\n        ^"
    line, caret = shown[2].split("\n")
    assert line[len(caret) - 1 :] == 'clls"'
    assert len(line) <= 100


def test_a_file_that_is_no_text_is_refused() -> None:
    """With where it stops being one, or how large it is."""
    assert faults(b"a = 1\nb = '\xff'")[0] == "2:6: this is not UTF-8."
    assert "at most 262144" in faults(b"#" * (MAX_BYTES + 1))[0]


def faults(raw: bytes) -> list[str]:
    return [str(fault) for fault in read(raw, vocabulary()).faults]


def test_files_as_windows_writes_them_are_read() -> None:
    """With a mark in front and two characters at the end of a line, and the same lines and columns."""
    windows = b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode()
    assert read(windows, vocabulary()) == read(GOOD.encode(), vocabulary())
    assert faults(windows.replace(b"contacts", b"contcts"))[0].startswith("13:27: ")


words = st.sampled_from(
    "measures,kpis,m,event,where,count,name,formula,unit,better,en,deal.won,each,ratio,x,sum x,sum value,"
    "calls / 2,calls / m".split(",")
)
parts = st.recursive(
    words | st.integers() | st.floats() | st.booleans() | st.text(max_size=3) | st.dates(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(words | st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)
tables = st.fixed_dictionaries(
    {},
    optional={
        "measures": parts | st.dictionaries(words, st.dictionaries(words, parts)),
        "kpis": parts | st.dictionaries(words, st.dictionaries(words, parts)),
    },
)


@given(tables)
def test_any_tables_are_judged(written: dict[str, object]) -> None:
    """Whatever somebody writes, each fault is about something that is there."""
    for fault in checked(written, vocabulary())[1]:
        value: Any = written
        for part in fault.path:
            value = value[part]
        assert fault.sentence[-1] in ".?" or "Write what it is made of" in fault.sentence


@given(st.text(alphabet="[measurs.kpi]=\"'{}, \n12#\\", max_size=40))
def test_any_text_is_read_or_told_why_not(text: str) -> None:
    """At a line and column that it has."""
    lines = text.split("\n")
    for fault in read(text.encode(), vocabulary()).faults:
        assert 1 <= fault.line <= len(lines)
        assert 1 <= fault.column <= len(lines[fault.line - 1]) + 1


def test_every_event_type_that_can_be_counted_can() -> None:
    """By itself, with nothing more said."""
    text = "".join(f'[measures.m{n}]\nevent = "{event}"\n' for n, event in enumerate(COUNTABLE))
    definitions, found = read(text.encode(), vocabulary())
    assert not found
    assert [measure.event for measure in definitions.measures.values()] == list(COUNTABLE)
