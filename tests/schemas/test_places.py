"""YAML is read with its places, as it is written, and never becomes more than the file."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.places import Finding, Items, Node, Spot, Table, UnreadableError, Value, read_yaml

MOST = 10_000


def read(text: str) -> tuple[Node | None, list[str]]:
    """A text's document, and what is said of its keys."""
    findings: list[Finding] = []
    node = read_yaml(text.encode(), "rules", MOST, findings)
    return node, [str(finding) for finding in findings]


def test_everything_remembers_where_it_stands() -> None:
    """And is the text that was written: no falsehood, no time, no number."""
    node, findings = read("quiet: 18:00\nto:\n  - no\n  - 007")
    assert findings == []
    assert node == Table(
        Spot(1, 1, ()),
        {
            "quiet": Value(Spot(1, 8, ("quiet",)), "18:00"),
            "to": Items(
                Spot(3, 3, ("to",)),
                (Value(Spot(3, 5, ("to", "1")), "no"), Value(Spot(4, 5, ("to", "2")), "007")),
            ),
        },
        {"quiet": Spot(1, 1, ("quiet",)), "to": Spot(2, 1, ("to",))},
    )


def test_an_empty_file_has_no_document() -> None:
    """Nor has one with comments only."""
    assert read("") == (None, [])
    assert read("# soon") == (None, [])


def test_keys_that_cannot_be_used_are_said_and_left_out() -> None:
    """All of them; of two that are the same the first one counts."""
    node, findings = read("a: 1\nb:\n  ? [c]\n  : 2\na: 3")
    assert isinstance(node, Table)
    assert node.entries["a"] == Value(Spot(1, 4, ("a",)), "1")
    assert findings == [
        "3:5: b: a key must be a word.",
        "5:1: a: this key stands on line 1 already; keep one.",
    ]


LAUGHS = "\n".join(["a0: &a0 x", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12))])


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: [", "1:5: this is no valid YAML"),
        ("a: 1\n---\nb: 2", "2:1: this is no valid YAML"),
        ("a: \x00", "1:1: this is no valid YAML"),
        ("a: " + "[" * 5_000, "1:1: lists or tables nest too deep."),
        ("a: &all [*all]", "lists or tables nest too deep."),
        (LAUGHS, "anchors repeat more than a file can hold; write it out."),
        ("#" * (MOST + 1), "1:1: the file has 10001 bytes; rules have at most 10000."),
    ],
)
def test_what_cannot_be_read_says_why(text: str, sentence: str) -> None:
    """Where that is known, at its place."""
    with pytest.raises(UnreadableError) as error:
        read(text)
    assert sentence in str(error.value.finding)


def test_what_is_no_text_is_named_by_its_line() -> None:
    """As people count them."""
    with pytest.raises(UnreadableError) as error:
        read_yaml(b"a: 1\n\xff", "rules", MOST, [])
    assert str(error.value.finding) == "2:1: this is not UTF-8."


def fault(raw: bytes) -> str | None:
    """Why bytes cannot be read."""
    try:
        read_yaml(raw, "rules", MOST, [])
    except UnreadableError as error:
        return error.finding.sentence
    return None


@given(st.text("a-?:,[]{} \n", max_size=30))
def test_without_anchors_nothing_is_more_than_the_file(text: str) -> None:
    """However short what it says is written."""
    assert "anchors" not in (fault(text.encode()) or "")


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_say_why_not(raw: bytes) -> None:
    """And nothing else is raised."""
    assert fault(raw) is None or fault(raw)
