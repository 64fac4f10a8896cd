"""`malvakt web`: the wall and its API, from a local view of what is published."""

import asyncio
from functools import partial
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import uvicorn
from cyclopts import Parameter

from malvakt.behind import Explainer, Topics
from malvakt.logs import log_to_stderr
from malvakt.outcome import CallError, Fault
from malvakt.reaching import reaching, settings_with
from malvakt.serving import metrics_on
from streams.data_directory import data_home
from streams.defining import InUse
from streams.settings import MAX_PORT, Settings
from wall.accounts.door import Door
from wall.accounts.store import Store, StoreError
from wall.api import build_app
from wall.database import AddressError, ViewError
from wall.keeping import Keeper
from wall.managing.desk import Desk
from wall.managing.writing import acknowledge, change_goals
from wall.view import View

PORT = 8080
LOOPBACK = {"127.0.0.1", "::1", "localhost"}
EVERYWHERE = {"0.0.0.0", "::"}  # noqa: S104 - what people pass, not where we listen by ourselves
LEAVE_S = 2
"""For how long walls that are connected may go on once the server is to end."""


def web_(
    *,
    host: str = "127.0.0.1",
    port: int = PORT,
    broker: str | None = None,
    view: Annotated[str | None, Parameter(env_var="MALVAKT_VIEW")] = None,
    store: Path | None = None,
    open_: Annotated[bool, Parameter(name="--open", negative="")] = False,
    metrics_port: int = 0,
) -> None:
    """Serve the wall: a page for a television and a phone, and the API behind it.

    It reads what is published into a local view, and goes on from there when it is started again.
    Kafka may come and go meanwhile; the page says so.

    Parameters
    ----------
    host
        Where to listen: only this machine does unless told otherwise; 0.0.0.0 is the whole network.
    port
        On which port.
    broker
        Addresses of Kafka brokers, `host:port`, comma-separated; else MALVAKT_BROKER.
    view
        Where to keep the view: a file, or postgresql://user:password@host/database; else a file for this
        installation among the user's data. It can be deleted: it is filled again.
    store
        The file to keep accounts and screens in; else one for this installation among the user's data.
        It cannot be made again: keep a copy.
    open_
        Without accounts: whoever reaches it sees every figure. On this machine only.
    metrics_port
        Where /metrics and /healthz are served, for who runs it; nowhere unless told, as a worker on the
        same machine has the usual port.
    """
    if not 1 <= port <= MAX_PORT:
        raise CallError(f"--port {port}: give one from 1 to {MAX_PORT}.")
    if not 0 <= metrics_port <= MAX_PORT:
        raise CallError(f"--metrics-port {metrics_port}: give one from 1 to {MAX_PORT}, or 0 for none.")
    if open_ and host not in LOOPBACK:
        raise CallError(
            f"--open shows every figure to whoever reaches {host}. Leave it out and sign in, or"
            " leave out --host."
        )
    settings = settings_with(broker=broker)
    log_to_stderr()
    name = quote(f"{settings.topic_prefix}{settings.app_id}", safe="")
    try:
        held = View(view or data_home() / f"{name}-wall.sqlite")
    except AddressError as error:
        raise CallError(f"--view: {error}") from error
    except ViewError as error:
        raise Fault(str(error)) from error
    try:
        door = None if open_ else Door(Store(store or data_home() / f"{name}-accounts.sqlite"))
    except StoreError as error:
        held.close()
        raise Fault(str(error)) from error
    keeper = Keeper(settings, held)
    fell: list[BaseException] = []

    async def keep() -> None:
        try:
            await keeper.keep()
        except Exception as error:  # noqa: BLE001
            # Whatever it is: a wall that is not kept current must not go on as if it were.
            fell.append(error)
            server.should_exit = True

    in_use = InUse(settings)
    explainer = Explainer(lambda goes_on: asyncio.run(in_use.read(goes_on)), partial(Topics, settings))
    desk = Desk(
        acknowledge=partial(acknowledge, settings),
        change_goals=partial(change_goals, settings),
        explain=explainer.explain,
    )
    app = build_app(held, keeper.hub, keeper.heartbeat, keep, door, desk)
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=LEAVE_S,
        )
    )
    try:
        _begin(keeper, settings)
        _say_where(host, port, None if door is None else door.first_code)
        with metrics_on(metrics_port, lambda: keeper.healthy):
            server.run()
    except SystemExit as ended:
        # It has logged why: the port is taken.
        raise Fault(f"Nothing can be served at {host}:{port}; give another --port.") from ended
    finally:
        explainer.close()
        held.close()
        if door is not None:
            door.store.close()
    if fell:
        raise Fault(f"The view could not be kept current: {fell[0]!r}.") from fell[0]


def _begin(keeper: Keeper, settings: Settings) -> None:
    with reaching(settings.broker):
        asyncio.run(keeper.begin())


def _say_where(host: str, port: int, first_code: str | None) -> None:
    # What listens everywhere is at no address of that name.
    at = f"http://{'localhost' if host in EVERYWHERE else host}:{port}"
    print(f"The wall is at {at}/ (Ctrl-C ends it)", flush=True)
    if first_code is not None:
        print(f"Nobody has an account yet. Make the first at {at}/manage/first#{first_code}", flush=True)
