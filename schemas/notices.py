"""What is known of alerts besides themselves, as it travels on `alert.acks` and `alert.deliveries`."""

from datetime import datetime
from typing import Literal

import msgspec
from msgspec import Struct

Stage = Literal["told", "escalated"]
"""Whether an address hears of an alert by its own route, or because nobody acknowledged it elsewhere."""


class Ack(Struct, frozen=True):
    """Somebody saw to an alert. Its key is the alert's id; of several the first holds."""

    alert: str
    by: str
    at: datetime


class Delivered(Struct, frozen=True, kw_only=True, tag_field="kind", tag="delivered"):
    """An address is done with an alert. Its key is `address|stage|alert`."""

    address: str
    stage: Stage
    alert: str
    at: datetime
    sent: bool = True
    """False: there was no need to, since it was acknowledged or had recovered before it was escalated."""

    @property
    def key(self) -> str:
        """The record's key on the topic."""
        return f"{self.address}|{self.stage}|{self.alert}"


class Opened(Struct, frozen=True, kw_only=True, tag_field="kind", tag="opened"):
    """An address hears of what comes about from a moment on. Its key is the address."""

    address: str
    since: datetime
    settled: dict[int, int] = {}
    """By partition of the alerts: the offset before which there is nothing more to tell it."""


encode_ack = msgspec.json.Encoder().encode
decode_ack = msgspec.json.Decoder(Ack).decode
encode_note = msgspec.json.Encoder().encode
decode_note = msgspec.json.Decoder(Delivered | Opened).decode
