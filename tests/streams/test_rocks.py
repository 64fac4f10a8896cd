"""Partitions in RocksDB: what outlives the process, what does not, and what begins anew."""

import contextlib
import json
import tempfile
from pathlib import Path
from random import Random, randbytes
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpis.versions import first_version
from schemas.internal import SCORECARD_ROWS, DayRow
from streams.delivery import Written
from streams.holding import Holding
from streams.rocks import ROWS
from streams.tables import RowStore
from streams.view_entries import CELLS, CLOCK, CONTACTS, NAMING, SUMS
from tests.streams.stores import CACHE_MB, made_store, on_disk

TOPIC = "malvakt-scorecards-changelog"
DESCRIPTORS = Path("/proc/self/fd")
ROW = DayRow("company", 20_000, {})


class Disk:
    """A worker's directory, and what is held in it."""

    def __init__(self, path: Path, first_term: int = 1) -> None:
        self._path = path
        self._holds = on_disk(path, first_term)

    def hold(self) -> Any:
        return self._holds("scorecards", TOPIC)(0)

    def store(self) -> RowStore[Any]:
        return made_store(SCORECARD_ROWS, TOPIC, self._holds("scorecards", TOPIC))

    def files(self, pattern: str) -> list[Path]:
        return sorted((self._path / "scorecards-0").glob(pattern))


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    return Disk(tmp_path)


def held(holding: Holding) -> tuple[dict[str, bytes], int]:
    return dict(holding.packed), holding.book.next_offset


def opened(files: list[Path]) -> set[Path]:
    """Which of these this process has open."""
    found: set[Path] = set()
    for descriptor in DESCRIPTORS.iterdir():
        with contextlib.suppress(FileNotFoundError):  # That of the listing itself.
            found.add(descriptor.readlink())
    return found.intersection(files)


def write(rows: RowStore[Any], first_offset: int, *keys: str) -> None:
    """Rows under these keys, as if the broker had acknowledged them there."""
    changes = rows.changes(0, dict.fromkeys(keys, ROW), first_version(1) + 1)
    rows.keep(changes, [Written(TOPIC, 0, first_offset, len(changes))])


def test_a_partition_that_comes_back_is_as_it_was_left(disk: Disk) -> None:
    """Its rows, how many they are, where they are current and which terms were met."""
    rows = disk.store()
    write(rows, 0, "a", "b")
    write(rows, 3, "b")
    rows.release(0)
    assert rows.held() == 0
    assert set(rows.rows(0)) == {"a", "b"}
    assert (rows.held(), rows.next_offset(0), rows.term_after(0, 1)) == (2, 4, 2)


def test_how_far_closed_databases_are_is_known(tmp_path: Path) -> None:
    """Of the same installation's, also of an earlier process's; what cannot be gone on with is nothing."""
    before = on_disk(tmp_path / "w")("scorecards", TOPIC)
    for partition, offset in ((0, 7), (1, 8), (2, 9)):
        holding = before(partition)
        holding.book.next_offset = offset
        holding.flush()
        if partition < 2:
            holding.close()
    assert before.left({2}) == {0: 7, 1: 8}
    holding.close()
    (tmp_path / "w").rename(tmp_path / "w2")
    (tmp_path / "w2" / "scorecards-1" / "DAMAGED").touch()
    (tmp_path / "w2" / "scorecards-2" / "CURRENT").write_text("nonsense")
    after = on_disk(tmp_path / "w2")("scorecards", TOPIC)
    assert after.left(set()) == {0: 7, 1: 0}
    assert not (tmp_path / "w2" / "scorecards-2" / "DAMAGED").exists()
    holding = after(0)
    holding.book.next_offset = 70
    # With its view it is worth twice as much.
    holding.book.views = 1
    holding.flush()
    holding.close()
    assert after.left(set())[0] == 140
    (tmp_path / "w2").rename(tmp_path / "w3")
    assert on_disk(tmp_path / "w3", 2)("scorecards", TOPIC).left(set())[0] == 0


def test_a_database_that_was_there_shares_the_workers_memory(disk: Disk) -> None:
    """Left to itself, rocksdict opens it with what its files say and a small cache of its own."""
    disk.hold().close()
    holding = disk.hold()
    assert holding._database._open.property_value("rocksdb.block-cache-capacity") == str(CACHE_MB << 20)


def test_what_is_old_is_not_written_again_with_each_little_that_is_new(disk: Disk) -> None:
    """Else a day takes the longer the more years there are: in levels, all is written each four files."""
    holding = disk.hold()
    random, stated = Random(1), 0
    for _ in range(120):
        for _ in range(100):
            value = random.randbytes(1_000)
            holding.packed[random.randbytes(8).hex()] = value
            stated += len(value)
        holding.flush()
        holding._database._open.flush()
    holding.close()
    [log] = disk.files("LOG")
    lines = (line.partition("EVENT_LOG_v1 ")[2] for line in log.read_text().splitlines())
    told = [json.loads(event) for event in lines if event]
    made = [one for one in told if one["event"] == "table_file_creation"]
    assert len(made) > 120
    assert sum(one["file_size"] for one in made) < 5 * stated


@pytest.mark.skipif(not DESCRIPTORS.exists(), reason="only Linux says what files a process has open")
def test_all_files_of_a_partition_stay_open(disk: Disk) -> None:
    """One that is closed is opened again by the next read, which takes all of its indexes and filters."""
    holding = disk.hold()
    holding._database._open.set_options({"disable_auto_compactions": "true"})
    keys = [f"{number:04}" for number in range(30)]
    for key in keys:
        holding.packed[key] = b"1"
        holding.flush()
        holding._database._open.flush()
    files = disk.files("*.sst")
    assert len(files) == len(keys)
    assert [holding._database.get(ROWS + key.encode()) for key in keys] == [b"1"] * len(keys)
    assert opened(files) == set(files)


def test_what_was_not_flushed_is_gone(disk: Disk) -> None:
    """Rows, view and book alike: with the process, or where a batch failed."""
    holding = disk.hold()
    holding.packed["a"] = b"1"
    holding.mapping(SUMS)["company|ever|1970-01-01"] = {"calls": 1}
    holding.book.next_offset = 1
    holding.flush()
    for forget in (holding.revert, holding.close):
        holding.packed["b"] = b"2"
        sums = holding.mapping(SUMS)
        sums["company|ever|1970-01-01"]["calls"] = 2
        sums["team:t|ever|1970-01-01"] = {"calls": 1}
        holding.naming().add("seller:anna", "b")
        holding.book.next_offset = 2
        forget()
    again = disk.hold()
    assert held(again) == ({"a": b"1"}, 1)
    assert dict(again.mapping(SUMS)) == {"company|ever|1970-01-01": {"calls": 1}}
    assert not list(again.naming().of("seller:anna"))
    again.close()


@pytest.mark.parametrize(("changelog", "first_term"), [(TOPIC, 2), ("other-scorecards-changelog", 1)])
def test_a_database_of_another_installation_begins_anew(
    tmp_path: Path, changelog: str, first_term: int
) -> None:
    """Founded at another time, or by another name: its rows are not ours."""
    holding = on_disk(tmp_path / "w")("scorecards", TOPIC)(0)
    holding.packed["a"] = b"1"
    holding.flush()
    holding.close()
    (tmp_path / "w").rename(tmp_path / "w2")
    other = on_disk(tmp_path / "w2", first_term)("scorecards", changelog)(0)
    assert held(other) == ({}, 0)
    other.close()


def test_a_damaged_database_begins_anew(disk: Disk) -> None:
    """All that was in it is in the changelog."""
    holding = disk.hold()
    holding.packed["a"] = b"1"
    holding.flush()
    holding.close()
    for manifest in disk.files("MANIFEST*"):
        manifest.write_bytes(b"surely no manifest" * 10)
    again = disk.hold()
    assert held(again) == ({}, 0)
    again.close()


def test_damage_that_is_met_later_begins_anew_with_the_next_worker(disk: Disk) -> None:
    """The one that meets it stops, and says where."""
    holding = disk.hold()
    for number in range(2_000):
        holding.packed[f"{number}"] = randbytes(50)
    holding.flush()
    holding._database._open.flush()
    holding.close()
    for table in disk.files("*.sst"):
        with table.open("r+b") as file:
            file.seek(table.stat().st_size // 2)
            file.write(b"\0" * 2_000)
    again = disk.hold()
    with pytest.raises(Exception, match=r"scorecards-0: Corruption"):
        dict(again.packed)
    again.close()
    third = disk.hold()
    assert held(third) == ({}, 0)
    third.close()


def test_what_was_begun_to_be_deleted_is_deleted(tmp_path: Path) -> None:
    """A worker that ended in the middle of it leaves nothing for good."""
    left = tmp_path / "scorecards-0.discarded"
    left.mkdir()
    (left / "CURRENT").touch()
    on_disk(tmp_path)
    assert not left.exists()


def test_recovered_rows_are_on_disk_with_the_place_in_the_changelog(disk: Disk) -> None:
    """A worker that ends in the middle of a long changelog goes on there."""
    rows = disk.store()
    packed = SCORECARD_ROWS.pack(ROW, 1)
    records = [SimpleNamespace(offset=number, key=b"%d" % number, value=packed) for number in range(5)]
    rows.take(0, records, None)
    rows.release(0)
    assert rows.next_offset(0) == len(rows.rows(0)) == 5
    rows.release(0)


def model_of(holding: Any) -> dict[str, dict[str, int]]:
    return dict(holding.mapping(SUMS).items())


keys = st.sampled_from(["a", "b", "", "\0", "a\0", "å", "\U0010ffff"])
operations = st.lists(
    st.one_of(
        st.tuples(st.just("set"), keys, st.integers(-(2**63), 2**63)),
        st.tuples(st.just("change"), keys, st.integers(0, 9)),
        st.tuples(st.just("delete"), keys, st.just(0)),
        st.tuples(st.sampled_from(["flush", "reopen", "revert"]), st.just(""), st.just(0)),
    ),
    max_size=30,
)


@given(operations)
def test_a_mapping_on_disk_is_a_mapping(told: list[tuple[str, str, int]]) -> None:
    """It has what a dictionary would, and after it is taken up again what it had at the last flush."""
    with tempfile.TemporaryDirectory() as folder:
        disk = Disk(Path(folder))
        holding = disk.hold()
        mapping = holding.mapping(SUMS)
        expected: dict[str, dict[str, int]] = {}
        flushed: dict[str, dict[str, int]] = {}
        for what, key, number in told:
            match what:
                case "set":
                    mapping[key] = {"calls": number}
                    expected[key] = {"calls": number}
                case "change":
                    measures = mapping.get(key, {})
                    measures["visits"] = number
                    mapping[key] = measures
                    expected[key] = expected.get(key, {}) | {"visits": number}
                case "delete":
                    assert (key in mapping) == (key in expected)
                    if key in expected:
                        del mapping[key], expected[key]
                case "flush":
                    holding.flush()
                    flushed = {key: measures.copy() for key, measures in expected.items()}
                case _:
                    if what == "revert":
                        holding.revert()
                    else:
                        holding.close()
                        holding = disk.hold()
                    mapping = holding.mapping(SUMS)
                    expected = {key: measures.copy() for key, measures in flushed.items()}
            assert mapping.get(key) == expected.get(key)
            assert dict(mapping.items()) == expected
            assert len(mapping) == len(expected)
        holding.close()


@given(st.lists(st.tuples(st.text(max_size=3), st.text(min_size=1, max_size=3), st.booleans())))
def test_each_row_has_its_own_names(told: list[tuple[str, str, bool]]) -> None:
    """Whatever characters are in them: those of one row are not found under another."""
    with tempfile.TemporaryDirectory() as folder:
        holding = Disk(Path(folder)).hold()
        naming = holding.naming()
        expected: dict[str, set[str]] = {}
        for ref, key, flushes in told:
            naming.add(ref, key)
            expected.setdefault(ref, set()).add(key)
            if flushes:
                holding.flush()
        for ref, names in expected.items():
            assert sorted(naming.of(ref)) == sorted(names)
        assert not list(naming.of("someone else"))
        holding.close()


@given(st.text(), st.integers(-(2**31), 2**31 - 1))
def test_keys_are_read_as_they_were_written(scope: str, day: int) -> None:
    """Of every mapping."""
    assert CELLS.key_of(CELLS.key((scope, day))) == (scope, day)
    for entries in (CONTACTS, SUMS, CLOCK):
        assert entries.key_of(entries.key(scope)) == scope


def test_the_mappings_of_a_table_are_apart() -> None:
    """Each has a letter of its own; and so has the index of names."""
    for table in ([CELLS, CONTACTS, CLOCK], [SUMS, CLOCK]):
        letters = [NAMING, *(entries.prefix for entries in table)]
        assert len(set(letters)) == len(letters)
        assert all(len(letter) == 1 for letter in letters)
