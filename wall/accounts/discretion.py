"""What is left of figures where sellers' names are hidden: nothing that is a seller's, by name or by id.

An id is often a name, so a seller's records, goals and place on a board are left out whole.
"""

from collections.abc import Iterable, Iterator

import msgspec

from wall.deals import Moment, decode_moment, encode_moment

NAMED = "named"
"""The state of a request that says whether sellers may be named."""

_SELLER = b'"seller:'


def discreet_bodies(bodies: Iterable[bytes]) -> Iterator[bytes]:
    """Entries of the view, other than moments, that are no seller's."""
    return (body for body in bodies if _SELLER not in body)


def discreet_moment(body: bytes) -> bytes:
    """A deal that somebody won."""
    held: Moment = decode_moment(body)
    return encode_moment(msgspec.structs.replace(held, seller=None))


def discreet_events(events: bytes) -> bytes:
    """The same of events on their way to a wall."""
    return b"".join(_discreet(event) + b"\n\n" for event in events.split(b"\n\n") if event and _kept(event))


def _kept(event: bytes) -> bool:
    # Who acknowledged something is somebody by name, too.
    return _SELLER not in event and b"event: ack\n" not in event


def _discreet(event: bytes) -> bytes:
    head, data, body = event.partition(b"\ndata: ")
    return head + data + discreet_moment(body) if head.endswith(b"event: moment") else event
