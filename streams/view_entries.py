"""How the entries of the views are written where they are kept on disk.

Days stand in front of scopes, so that what is counted now lies together.
"""

import msgspec

from kpis.tally import CellKey, Contact
from schemas.internal import Measures
from streams.holding import Entries

FORMAT = 1
"""Raise it when what the views hold, or how it is written, changes: they are built anew from the rows."""

_DAY_BYTES = 4
_encode = msgspec.msgpack.Encoder().encode


def _cell(cell: CellKey) -> bytes:
    scope, day = cell
    return day.to_bytes(_DAY_BYTES, signed=True) + scope.encode()


def _cell_of(key: bytes) -> CellKey:
    return key[_DAY_BYTES:].decode(), int.from_bytes(key[:_DAY_BYTES], signed=True)


_measures_of = msgspec.msgpack.Decoder(Measures).decode

CELLS: Entries[CellKey, Measures] = Entries(b"c", _cell, _cell_of, _encode, _measures_of)
"""A tally's sums by scope and day."""

CONTACTS: Entries[str, list[Contact]] = Entries(
    b"p", str.encode, bytes.decode, _encode, msgspec.msgpack.Decoder(list[Contact]).decode
)
"""A tally's contacts by person."""

SUMS: Entries[str, Measures] = Entries(b"s", str.encode, bytes.decode, _encode, _measures_of)
"""The scorecards' sums by the key of their record."""

CLOCK: Entries[str, int] = Entries(
    b"t", str.encode, bytes.decode, _encode, msgspec.msgpack.Decoder(int).decode
)
"""The latest event time."""

NAMING = b"n"
"""The letter of the index of who names whom."""
