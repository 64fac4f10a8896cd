"""Where things stand in a TOML text, held against what `tomllib` finds in it."""

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpis.definitions.places import Path, Place, offset_within, places_of, spot_of

TEXTS = [
    "",
    "# only a comment",
    "a = 1",
    "a=1#x\nb = 2\n",
    "a.b . c = 1\na.d = 2",
    '"a b"."c.d".\'e"f\' = 1',
    '"\\u00e5" = 1\n"\\"]" = 2',
    "[a]\n[a.b]\nc = 1\n[ x . 'y' ]\nd = 2",
    "[a.b.c]\nd = 1\n[a]\ne = 2",
    "[[a]]\nb = 1\n[[a]]\n[a.c]\nd = 2\n[[a.e]]\nf = 3\n[[a]]\nb = 9\n[[a.e]]\nf = 4",
    'a = "x # y = [z]"\nb = \'\\\'\nc = "\\""',
    'a = """\nx\ny"""\nb = """a\\\n   b"""\nc = """"a"""""\nd = """\\"""\\""""',
    "a = '''\nx\n'y''''\nb = ''''''",
    "a = [1, 2,]\nb = [\n # c ]\n 'x', [ ['y']\n, ], ]\nc = []",
    "a = { b = 1, c = { d = '}' }, 'e f' = [ {g=1} ] }\nh = {}",
    "a = 1979-05-27 07:32:00Z # x\nb = 07:32:00\nc = [1979-05-27 07:32:00, 1979-05-27]",
    "a = true\nb = -inf\nc = 0xDEAD\nd = 1_000.5e-3 \ne = [nan]",
    "\n\n  a = 1\n\t[b]\n\tc=2",
]


def leaves(value: Any, path: Path = ()) -> list[tuple[Path, Any]]:
    """Everything in a document, tables and lists too."""
    parts = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    found = [] if path == () else [(path, value)]
    return found + [leaf for key, part in parts for leaf in leaves(part, (*path, key))]


def held_against_tomllib(text: str) -> None:
    """Each key and value is where it is said to be, and nothing else is said."""
    places = places_of(text)
    found = leaves(tomllib.loads(text))
    assert places.keys() == {path for path, _ in found}
    for path, value in found:
        key, start, end = places[path]
        if isinstance(path[-1], str):
            assert text[key] in "\"'" or text.startswith(path[-1], key)
        raw = text[start:end]
        if isinstance(value, dict) and raw[:1] != "{":
            continue  # A table under a header, or in dotted keys, has no one value.
        if isinstance(value, list) and raw[:1] != "[":
            continue
        assert repr(tomllib.loads(f"x = {raw}")["x"]) == repr(value)


@pytest.mark.parametrize("text", TEXTS)
def test_everything_is_found_where_it_stands(text: str) -> None:
    """Whatever is read there alone is what `tomllib` read in the whole."""
    held_against_tomllib(text)


keys = st.sampled_from(["a", "b-1", '"c d"', "'e.f'", '"\\u0041\\""'])
strings = st.text(alphabet="ab\"'\\#[]{}=,\n å", max_size=6)


def basic(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def long_basic(text: str) -> str:
    return '"""' + text.replace("\\", "\\\\").replace('"""', '""\\"').removesuffix('"') + '"""'


def literal(text: str) -> str:
    return "'" + text.replace("'", "").replace("\n", "") + "'"


def long_literal(text: str) -> str:
    return "'''\n" + text.replace("'''", "''") + "'''"


scalars = (
    strings.map(basic)
    | strings.map(long_basic)
    | strings.map(literal)
    | strings.map(long_literal)
    | st.sampled_from(["1", "-2.5", "true", "1979-05-27 07:32:00", "inf"])
)


def nested(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    lists = st.lists(parts, max_size=3).map(lambda found: "[ # x ]\n" + ",\n ".join(found) + " ]")
    tables = st.dictionaries(keys, parts, max_size=3).map(
        lambda found: "{ " + ", ".join(f"{key} = {value}" for key, value in found.items()) + " }"
    )
    return lists | tables


values = st.recursive(scalars, nested, max_leaves=6)
lines = st.lists(
    st.tuples(st.lists(keys, min_size=1, max_size=3), values).map(
        lambda kv: f"{' . '.join(kv[0])} = {kv[1]}"
    )
    | st.lists(keys, min_size=1, max_size=2).map(lambda path: f"[ {'.'.join(path)} ] # x")
    | st.lists(keys, min_size=1, max_size=2).map(lambda path: f"[[{'.'.join(path)}]]")
    | st.sampled_from(["", "# a = 1", "  \t"]),
    max_size=6,
).map("\n".join)


@given(lines)
def test_whatever_tomllib_accepts_is_found(text: str) -> None:
    """Keys of every form, dotted, quoted, in headers; values of every form, within each other."""
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    held_against_tomllib(text)


def test_positions_are_counted_as_editors_do() -> None:
    """Lines and columns from 1."""
    text = "ab\ncd\n"
    assert [spot_of(text, at) for at in (0, 1, 3, 4, 6)] == [(1, 1), (1, 2), (2, 1), (2, 2), (3, 1)]


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        ('"a + b"', "b"),
        ("'a + b'", "b"),
        ('"""\na + b"""', "b"),
        ("'''a + b'''", "b"),
        ('"a \\u002B b"', None),
        ('"""a + \\\n b"""', None),
    ],
)
def test_a_character_of_a_string_written_as_it_reads_is_found(raw: str, found: str | None) -> None:
    """With escapes it is nowhere to point at."""
    text = f"x = {raw}"
    value = tomllib.loads(text)["x"]
    at = offset_within(text, places_of(text)["x",], value, value.index("b"))
    assert (None if at is None else text[at]) == found


def test_a_place_is_of_a_key_and_its_value() -> None:
    """The value without what stands around it."""
    text = "  key =  'value' # x"
    assert places_of(text) == {("key",): Place(2, 9, 16)}
