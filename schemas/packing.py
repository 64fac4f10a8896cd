"""How a table's row is written: its version in front, in eight bytes, and then its content.

Recovery and readers compare versions without reading what is in the rows, which is what takes time.
"""

from typing import Any, Generic, TypeVar

import msgspec

Content = TypeVar("Content")

VERSION_BYTES = 8


class Packing(Generic[Content]):
    """Writes and reads the rows of one table."""

    def __init__(self, content: Any) -> None:
        self._encode = msgspec.msgpack.Encoder().encode
        self._decoder: msgspec.msgpack.Decoder[Content] = msgspec.msgpack.Decoder(content)

    def pack(self, content: Content, version: int) -> bytes:
        """The bytes of a row in a version."""
        return version.to_bytes(VERSION_BYTES) + self._encode(content)

    def unpack(self, packed: bytes) -> Content:
        """What is in a row.

        Raises:
            msgspec.MsgspecError: the bytes are no row of this table.
        """
        return self._decoder.decode(memoryview(packed)[VERSION_BYTES:])


def version_of(packed: bytes) -> int:
    """The version of a row."""
    return int.from_bytes(packed[:VERSION_BYTES])
