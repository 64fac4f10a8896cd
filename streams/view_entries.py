"""How the entries of the views are written where they are kept on disk.

Days stand in front of scopes, so that what is counted now lies together.
"""

import msgspec

from kpis.customers import First, Won
from kpis.tally import CellKey, Contact
from kpis.window_sums import YearKey
from schemas.internal import Measures
from streams.holding import Entries

FORMAT = 3
"""Raise it when what the views hold, or how it is written, changes: they are built anew from the rows."""

_DAY_BYTES = 4
_encode = msgspec.msgpack.Encoder().encode


def _cell(cell: CellKey) -> bytes:
    scope, day = cell
    return day.to_bytes(_DAY_BYTES, signed=True) + scope.encode()


def _cell_of(key: bytes) -> CellKey:
    return key[_DAY_BYTES:].decode(), int.from_bytes(key[:_DAY_BYTES], signed=True)


def _year(key: YearKey) -> bytes:
    start, scope = key
    return start.to_bytes(_DAY_BYTES, signed=True) + scope.encode()


def _year_of(key: bytes) -> YearKey:
    return int.from_bytes(key[:_DAY_BYTES], signed=True), key[_DAY_BYTES:].decode()


_measures_of = msgspec.msgpack.Decoder(Measures).decode

CELLS: Entries[CellKey, Measures] = Entries(b"c", _cell, _cell_of, _encode, _measures_of)
"""A tally's sums by scope and day."""

CONTACTS: Entries[str, list[Contact]] = Entries(
    b"p", str.encode, bytes.decode, _encode, msgspec.msgpack.Decoder(list[Contact]).decode
)
"""A tally's contacts by person."""

WON: Entries[str, list[Won]] = Entries(
    b"w", str.encode, bytes.decode, _encode, msgspec.msgpack.Decoder(list[Won]).decode
)
"""A customer's won deals, in order."""

FIRSTS: Entries[str, First] = Entries(
    b"f", str.encode, bytes.decode, _encode, msgspec.msgpack.Decoder(First).decode
)
"""A customer's earliest event."""

_number_of = msgspec.msgpack.Decoder(int).decode

ORGANISATIONS: Entries[str, int] = Entries(b"o", str.encode, bytes.decode, _encode, _number_of)
"""How many of a customer's leads state an organisation number."""

LEAVERS: Entries[str, int] = Entries(b"l", str.encode, bytes.decode, _encode, _number_of)
"""Customers who left, at some time."""

SUMS: Entries[str, Measures] = Entries(b"s", str.encode, bytes.decode, _encode, _measures_of)
"""The scorecards' sums by the key of their record."""

YEARS: Entries[YearKey, int] = Entries(b"y", _year, _year_of, _encode, _number_of)
"""The scopes that anything is counted for in a year."""

CLOCK: Entries[str, int] = Entries(b"t", str.encode, bytes.decode, _encode, _number_of)
"""The latest event time, and what else is known of time."""

NAMING = b"n"
"""The letter of the index of who names whom."""
