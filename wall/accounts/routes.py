"""The routes of accounts, screens and pairing: everything at this server that changes anything."""

import asyncio
import hmac
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path
from typing import Annotated, Any

import msgspec
import segno
from litestar import Request, Response, Router, delete, get, post, put
from litestar.exceptions import NotAuthorizedException, NotFoundException
from litestar.params import FromPath, JSONBody
from litestar.response import File, Stream
from litestar.types import ControllerRouterHandler
from msgspec import Meta, Struct

from wall.accounts.door import SCREEN_COOKIE, SESSION_COOKIE, Door, Manager, cookie, guard
from wall.accounts.limits import Limit
from wall.accounts.passwords import MAX_LENGTH, MIN_LENGTH
from wall.accounts.screens import Kept, Screen
from wall.accounts.store import Account, NameTakenError, folded
from wall.refusing import refuse

STATIC = Path(__file__).parents[1] / "static"
PAGES = ("alerts", "standing", "figures", "behind", "goals", "screens", "accounts")
MANAGE = ["/manage", "/manage/sign-in", "/manage/first", *(f"/manage/{page}" for page in PAGES)]
BEAT_S, LOOK_S = 3.0, 0.5

Asked = Request[Any, Any, Any]
Name = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"\S")]


class SignIn(Struct, forbid_unknown_fields=True):
    """A name and a password."""

    name: Name
    password: str


class First(Struct, forbid_unknown_fields=True):
    """The first account, and the code that the server printed."""

    code: str
    name: Name
    password: str


class Change(Struct, forbid_unknown_fields=True):
    """Another password."""

    old: str
    new: str


class Entered(Struct, forbid_unknown_fields=True):
    """A code, as somebody typed it."""

    code: Annotated[str, Meta(max_length=20)]


class Secret(Struct, forbid_unknown_fields=True):
    """What a television has."""

    secret: Annotated[str, Meta(max_length=100)]


class Session(Struct):
    """Who is signed in, and what their page must say to change anything."""

    account: Account | None
    csrf: str = ""
    first: bool = False
    """Whether there is no account yet."""


class Paired(Struct):
    """A television, as its screen lists it."""

    id: int
    paired: int


class Listed(Struct):
    """A screen, and what was paired with it."""

    id: int
    screen: Screen
    televisions: list[Paired]


class Code(Struct):
    """What a television shows, and what it asks with."""

    code: str
    claim: str


class Claimed(Struct):
    """What a television was told; nothing yet, where the code was not entered."""

    screen: Kept | None = None
    token: str | None = None


def routes(door: Door) -> list[ControllerRouterHandler]:
    """All of them."""
    return [_pages(), _signing_in(door), _accounts(door), _screens(door), _televisions(door)]


def _html(name: str) -> File:
    return File(STATIC / name, media_type="text/html", content_disposition_type="inline")


def _pages() -> Router:
    @get(MANAGE, sync_to_thread=False)
    def manage() -> File:
        """One page, which shows what its address says."""
        return _html("manage.html")

    @get("/tv", sync_to_thread=False)
    def tv() -> File:
        """What a television opens."""
        return _html("tv.html")

    return Router("/", route_handlers=[manage, tv])


def _signing_in(door: Door) -> Router:
    by_account, by_address = Limit(10, 900), Limit(30, 900)
    store = door.store

    def signed_in(request: Asked, account: Account) -> Response[Session]:
        token = store.begin_session(account.id)
        answer = Session(account, Manager(account, token).csrf)
        return Response(answer, cookies=[cookie(request, SESSION_COOKIE, token)])

    @get("/session", sync_to_thread=False)
    def session(request: Asked) -> Session:
        """Who is signed in."""
        manager = door.manager(request)
        if manager is None:
            return Session(None, first=not store.has_accounts())
        return Session(manager.account, manager.csrf)

    @post("/session", sync_to_thread=True)
    def sign_in(request: Asked, data: JSONBody[SignIn]) -> Response[Session]:
        """Begin a session."""
        _within(by_address, _address(request))
        _within(by_account, folded(data.name))
        found = store.account_named(data.name)
        if len(data.password) > MAX_LENGTH or not door.passwords.holds(found and found[1], data.password):
            refuse(401, "wrong", "The name or the password is wrong.")
        assert found is not None
        by_account.forget(folded(data.name))
        # A whole office may come from one address. What was wrong goes on counting.
        by_address.give_back(_address(request))
        return signed_in(request, found[0])

    @post("/first", sync_to_thread=True)
    def first(request: Asked, data: JSONBody[First]) -> Response[Session]:
        """Make the first account, with the code from the server's terminal."""
        _within(by_address, _address(request))
        if door.first_code is None or not hmac.compare_digest(data.code.encode(), door.first_code.encode()):
            refuse(401, "code", "The code is not the one that the server printed when it started.")
        account = store.add_account(data.name, _hashed(door, data.password), first=True)
        if account is None:
            refuse(409, "made", "The first account has been made; sign in with it.")
        door.first_code = None
        return signed_in(request, account)

    return Router("/api", route_handlers=[session, sign_in, first], guards=[guard(door.from_a_page)])


def _accounts(door: Door) -> Router:
    store = door.store
    changing = Limit(10, 900)

    @post("/session/end", sync_to_thread=True, status_code=200)
    def sign_out(request: Asked) -> Response[Session]:
        """End the session."""
        store.end_session(door.signed_in(request).token)
        return Response(Session(None), cookies=[cookie(request, SESSION_COOKIE, "")])

    @get("/accounts", sync_to_thread=True)
    def accounts() -> list[Account]:
        """Who can sign in."""
        return store.accounts()

    @post("/accounts", sync_to_thread=True)
    def add(data: JSONBody[SignIn]) -> Account:
        """Add an account."""
        hashed = _hashed(door, data.password)
        try:
            account = store.add_account(data.name, hashed)
        except NameTakenError:
            refuse(409, "taken", "There is an account of that name.")
        assert account is not None
        return account

    @delete("/accounts/{number:int}", sync_to_thread=True)
    def remove(number: FromPath[int]) -> None:
        """Remove an account, and whoever is signed in to it."""
        if store.account(number) is None:
            raise NotFoundException("There is no such account.")
        if not store.remove_account(number):
            refuse(409, "last", "This is the last account: without it nobody could sign in.")

    @put("/password", sync_to_thread=True)
    def change(request: Asked, data: JSONBody[Change]) -> Response[Session]:
        """Change one's own password: every session of it ends, and a new one begins here."""
        account = door.signed_in(request).account
        _within(changing, str(account.id))
        found = store.account(account.id)
        if len(data.old) > MAX_LENGTH or not door.passwords.holds(found and found[1], data.old):
            refuse(403, "wrong", "The present password is wrong.")
        store.set_password(account.id, _hashed(door, data.new))
        token = store.begin_session(account.id)
        answer = Session(account, Manager(account, token).csrf)
        return Response(answer, cookies=[cookie(request, SESSION_COOKIE, token)])

    return Router(
        "/api", route_handlers=[sign_out, accounts, add, remove, change], guards=[guard(door.manages)]
    )


def _screens(door: Door) -> Router:
    store = door.store
    entering = Limit(20, 600)

    @get("/screens", sync_to_thread=True)
    def screens() -> list[Listed]:
        """All screens, each with its televisions."""
        televisions = store.televisions()
        return [
            Listed(
                kept.id,
                kept.screen,
                [Paired(one.id, one.paired) for one in televisions if one.screen == kept.id],
            )
            for kept in store.screens()
        ]

    @post("/screens", sync_to_thread=True)
    def add(data: JSONBody[Screen]) -> Kept:
        """Make a screen."""
        return store.add_screen(data)

    @put("/screens/{number:int}", sync_to_thread=True)
    def change(number: FromPath[int], data: JSONBody[Screen]) -> Kept:
        """Change what a screen shows; its televisions follow."""
        if not store.change_screen(number, data):
            raise NotFoundException("There is no such screen.")
        return Kept(id=number, screen=data)

    @delete("/screens/{number:int}", sync_to_thread=True)
    def remove(number: FromPath[int]) -> None:
        """Remove a screen; its televisions show nothing any more."""
        if not store.remove_screen(number):
            raise NotFoundException("There is no such screen.")

    @post("/screens/{number:int}/televisions", sync_to_thread=True)
    def pair(request: Asked, number: FromPath[int], data: JSONBody[Entered]) -> None:
        """Have the television that shows a code be this screen."""
        _within(entering, str(door.signed_in(request).account.id))
        if store.screen(number) is None:
            raise NotFoundException("There is no such screen.")
        if not door.pairing.enter(data.code, number):
            refuse(404, "code", "No television shows that code. It may have a new one by now.")

    @delete("/screens/{number:int}/televisions/{television:int}", sync_to_thread=True)
    def revoke(number: FromPath[int], television: FromPath[int]) -> None:
        """Have a television be no screen any more."""
        if not store.revoke(television, number):
            raise NotFoundException("There is no such television.")

    return Router(
        "/api", route_handlers=[screens, add, change, remove, pair, revoke], guards=[guard(door.manages)]
    )


def _televisions(door: Door) -> Router:
    asking, claiming, resuming = Limit(60, 600), Limit(3_000, 600), Limit(60, 600)
    store = door.store

    @post("/codes", sync_to_thread=False)
    def ask(request: Asked) -> Code:
        """A new code to show."""
        _within(asking, _address(request))
        waiting = door.pairing.ask()
        if waiting is None:
            refuse(503, "many", "Too many televisions wait; try again in some minutes.")
        return Code(waiting.code, waiting.claim)

    @post("/claims", sync_to_thread=True, status_code=200)
    def claim(request: Asked, data: JSONBody[Secret]) -> Response[Claimed]:
        """Whether the code was entered; if so, the token, once."""
        _within(claiming, _address(request))
        waiting = door.pairing.collect(data.secret)
        if waiting is None:
            raise NotFoundException("The code has expired.")
        if waiting.screen is None:
            return Response(Claimed())
        token = store.pair(waiting.screen)
        kept = store.screen(waiting.screen)
        if token is None or kept is None:
            raise NotFoundException("The screen was removed.")
        return Response(Claimed(kept, token), cookies=[cookie(request, SCREEN_COOKIE, token)])

    @post("/resume", sync_to_thread=True, status_code=200)
    def resume(request: Asked, data: JSONBody[Secret]) -> Response[Kept]:
        """With a token that was kept, or else with the cookie, which is then kept for longer."""
        token = data.secret or request.cookies.get(SCREEN_COOKIE, "")
        kept = store.paired(token)
        if kept is None:
            _within(resuming, _address(request))
            raise NotAuthorizedException("This television is no screen any more.")
        return Response(kept, cookies=[cookie(request, SCREEN_COOKIE, token)])

    @get("/stream", sync_to_thread=False)
    def stream(request: Asked) -> Stream:
        """What the screen shows, now and whenever it is changed, until the television is revoked."""
        if door.screen(request) is None:
            raise NotAuthorizedException("This television is no screen any more.")
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return Stream(_screen_events(door, request), media_type="text/event-stream", headers=headers)

    return Router(
        "/api/tv",
        route_handlers=[ask, _picture(door), claim, resume, stream],
        guards=[guard(door.from_a_page)],
    )


def _picture(door: Door) -> ControllerRouterHandler:
    @get("/codes/{code:str}", sync_to_thread=False)
    def picture(request: Asked, code: FromPath[str]) -> Response[bytes]:
        """A code that is shown, for the camera of a phone: it leads to where it is entered."""
        if not door.pairing.waits(code):
            raise NotFoundException("No television shows that code.")
        svg = BytesIO()
        address = f"{request.base_url}manage/screens?code={code}"
        segno.make_qr(address).save(svg, kind="svg", border=2, dark="#10141b", light="#fff", xmldecl=False)
        return Response(svg.getvalue(), media_type="image/svg+xml", headers={"cache-control": "no-store"})

    return picture


async def _screen_events(door: Door, request: Asked) -> AsyncIterator[bytes]:
    yield b"retry: 1000\n\n"
    seen, told, silent = -1, None, 0.0
    while True:
        if door.store.changes != seen:
            seen = door.store.changes
            kept = door.screen(request)
            if kept is None:
                yield b"event: revoked\ndata: {}\n\n"
                return
            if kept != told:
                told, silent = kept, 0.0
                yield b"event: screen\ndata: %b\n\n" % msgspec.json.encode(kept)
        if silent >= BEAT_S:
            silent = 0.0
            yield b"event: heartbeat\ndata: {}\n\n"
        await asyncio.sleep(LOOK_S)
        silent += LOOK_S


def _hashed(door: Door, password: str) -> str:
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        refuse(400, "length", f"A password has {MIN_LENGTH} to {MAX_LENGTH} characters.")
    return door.passwords.hashed(password)


def _address(request: Asked) -> str:
    return request.client.host if request.client else ""


def _within(limit: Limit, key: str) -> None:
    wait_s = limit.take(key)
    if wait_s:
        headers = {"retry-after": str(wait_s)}
        refuse(429, "often", f"Too many tries; wait {wait_s} seconds.", headers)
