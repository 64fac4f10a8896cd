"""Who is asking, and what they may: read with a session or as a screen, change with a session only."""

import hmac
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from hashlib import sha256
from secrets import token_urlsafe
from typing import Any

from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie
from litestar.exceptions import NotAuthorizedException, PermissionDeniedException
from litestar.handlers import BaseRouteHandler
from msgspec import Struct

from wall.accounts.discretion import NAMED, discreet_events
from wall.accounts.pairing import Pairing
from wall.accounts.passwords import Passwords
from wall.accounts.screens import Kept
from wall.accounts.store import SESSION_S, Account, Store

Connection = ASGIConnection[Any, Any, Any, Any]

SESSION_COOKIE, SCREEN_COOKIE = "malvakt_session", "malvakt_screen"
SCREEN_COOKIE_S = 400 * 24 * 3600
"""The longest that browsers keep one; it is set anew whenever the television begins."""
CSRF_HEADER = "x-csrf-token"
LOOK_AGAIN_S = 30.0
"""How long after a session has expired a stream of figures may go on."""


class Manager(Struct, frozen=True):
    """Somebody who is signed in."""

    account: Account
    token: str

    @property
    def csrf(self) -> str:
        """What a page of ours knows and another site cannot: it goes with the session, in no cookie."""
        return hmac.new(self.token.encode(), b"csrf", sha256).hexdigest()


class Door:
    """The accounts and screens of this server, and who may come in."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.passwords = Passwords()
        self.pairing = Pairing()
        self.first_code = None if store.has_accounts() else token_urlsafe(9)
        """With which the first account is made; it is good once, and only as long as there is none."""

    def manager(self, connection: Connection) -> Manager | None:
        """Who is signed in."""
        token = connection.cookies.get(SESSION_COOKIE)
        account = self.store.session(token) if token else None
        return Manager(account, token) if token and account else None

    def signed_in(self, connection: Connection) -> Manager:
        """Who is signed in, where a guard has let them in.

        Raises:
            NotAuthorizedException: their session ended between the guard and here.
        """
        manager = self.manager(connection)
        if manager is None:
            raise NotAuthorizedException("Sign in.")
        return manager

    def screen(self, connection: Connection) -> Kept | None:
        """Which screen a television was paired with."""
        token = connection.cookies.get(SCREEN_COOKIE)
        return self.store.paired(token) if token else None

    def hides_names(self, connection: Connection) -> bool | None:
        """Whether sellers must not be told apart for whoever asks; none where they may see nothing."""
        if self.manager(connection):
            return False
        screen = self.screen(connection)
        return None if screen is None else screen.screen.names_hidden

    # What guards of routes look at

    def reads(self, connection: Connection) -> None:
        """Figures are for those who are signed in, and for screens."""
        hides = self.hides_names(connection)
        if hides is None:
            raise NotAuthorizedException("Sign in, or pair this screen.")
        connection.state[NAMED] = not hides
        if hides and _of_a_seller(connection):
            raise PermissionDeniedException("This screen shows nothing of sellers.")

    def manages(self, connection: Connection) -> None:
        """What people set is for those who are signed in; to change it, on a page of ours."""
        manager = self.manager(connection)
        if manager is None:
            raise NotAuthorizedException("Sign in.")
        if _changes(connection):
            said = connection.headers.get(CSRF_HEADER, "")
            if not hmac.compare_digest(said.encode(), manager.csrf.encode()):
                raise PermissionDeniedException(f"The {CSRF_HEADER} is not that of this session.")

    def from_a_page(self, connection: Connection) -> None:
        """Before anybody is signed in: another site cannot send a header of ours without our consent."""
        if _changes(connection) and CSRF_HEADER not in connection.headers:
            raise PermissionDeniedException(f"There is no {CSRF_HEADER}.")

    async def watched(self, connection: Connection, events: AsyncGenerator[bytes]) -> AsyncIterator[bytes]:
        """A stream of figures as whoever asked may see it, for as long as they may."""
        hides = self.hides_names(connection)
        seen, looked = self.store.changes, time.monotonic()
        async with aclosing(events):
            async for some in events:
                if self.store.changes != seen or time.monotonic() - looked > LOOK_AGAIN_S:
                    seen, looked = self.store.changes, time.monotonic()
                    if self.hides_names(connection) != hides:
                        return
                if allowed := discreet_events(some) if hides else some:
                    yield allowed


def guard(look: Callable[[Connection], None]) -> Callable[[Connection, BaseRouteHandler], None]:
    """As Litestar takes one: of a method it would copy the object, locks and all."""

    def guarded(connection: Connection, _: BaseRouteHandler) -> None:
        look(connection)

    return guarded


def _of_a_seller(connection: Connection) -> bool:
    """Whether a seller's figures are asked for, by any of the scopes: who reads one may take another."""
    return any(scope.startswith("seller:") for scope in connection.query_params.getall("scope", []))


def _changes(connection: Connection) -> bool:
    scope = connection.scope
    return scope["type"] != "http" or scope["method"] not in {"GET", "HEAD"}


def cookie(connection: Connection, key: str, value: str) -> Cookie:
    """A cookie that no script reads and no other site sends; over https it never travels in the clear."""
    return Cookie(
        key=key,
        value=value,
        path="/",
        max_age=(SESSION_S if key == SESSION_COOKIE else SCREEN_COOKIE_S) if value else 0,
        secure=connection.url.scheme == "https",
        httponly=True,
        samesite="lax",
    )
