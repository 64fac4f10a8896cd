"""What a screen shows: all that the wall's address can say, with a name, kept on the server."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

Shown = Literal["company", "team", "seller"]


class Screen(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings of one screen."""

    name: Annotated[str, Meta(min_length=1, max_length=60, pattern=r"\S")]
    language: Literal["sv", "en"] = "sv"
    theme: Literal["dark", "light"] = "dark"
    rotate_s: Annotated[int, Meta(ge=0, le=3600)] = 20
    """Seconds for each view; 0 stays."""
    views: Annotated[tuple[Shown, ...], Meta(min_length=1, max_length=3)] = ("company", "team", "seller")
    scope: Annotated[str, Meta(pattern=r"^(company|team:.{1,200}|seller:.{1,200})$")] | None = None
    """Only this one, whatever the views."""
    period: Literal["day", "week", "month"] | None = None
    board: Literal["activity", "share", "off"] = "activity"
    names_hidden: bool = False
    """Whether nothing that tells sellers apart leaves the server for it."""
    initials: bool = False
    """Whether it shows sellers as their initials; their names leave the server for it all the same."""
    sound: bool = False

    def __post_init__(self) -> None:
        if self.names_hidden and (
            self.views == ("seller",) or (self.scope is not None and self.scope.startswith("seller:"))
        ):
            raise ValueError("A screen without the names of sellers cannot show sellers only.")


class Kept(Struct, frozen=True, kw_only=True):
    """A screen as it is kept."""

    id: int
    screen: Screen


encode_screen = msgspec.json.Encoder().encode
decode_screen = msgspec.json.Decoder(Screen).decode
