"""`malvakt worker`: one Faust worker, until it is told to stop."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

import faust

from agents.goals import GoalsAgent
from agents.ledger import LedgerAgent
from agents.recounting import Recounting
from agents.scorecard import ScorecardAgent
from kpis.tally import COMPANY
from malvakt.interpreter import collect_seldom, switch_often
from malvakt.logs import CONFIG, log_to_stderr
from malvakt.outcome import Fault
from malvakt.reaching import reaching, settings_with
from malvakt.serving import metrics_on
from streams.data_directory import DataDirectoryError
from streams.forecasting import Forecaster
from streams.founding import FoundingError, found
from streams.history import history_on
from streams.settings import Settings
from streams.topic_setup import set_up_topics
from streams.worker import Agent, MissingStoreError, Parts, WorkerApp, WrongFaustError, build_app


def worker_(
    *,
    broker: str | None = None,
    timezone: str | None = None,
    currency: str | None = None,
    metrics_port: int | None = None,
) -> None:
    """Run one worker. Start several to share the partitions.

    Settings come from MALVAKT_* in the environment; options override them.

    Parameters
    ----------
    broker
        Addresses of Kafka brokers, `host:port`, comma-separated.
    timezone
        The business timezone, such as Europe/Stockholm.
    currency
        The reporting currency, such as SEK.
    metrics_port
        Where /metrics and /healthz are served; 0 turns them off.
    """
    settings = settings_with(broker=broker, timezone=timezone, currency=currency, metrics_port=metrics_port)
    log_to_stderr()
    collect_seldom()
    switch_often()
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    app = _app(settings, loop)
    with metrics_on(settings.metrics_port, lambda: app.restorer.settled):
        worker = faust.Worker(app, loglevel="WARNING", logging_config=CONFIG, loop=loop)
        worker.execute_from_commandline()


def _app(settings: Settings, loop: asyncio.AbstractEventLoop) -> WorkerApp:
    try:
        with reaching(settings.broker):
            partitions = loop.run_until_complete(set_up_topics(settings))
            founding = loop.run_until_complete(found(settings))
        return build_app(settings, partitions, founding.first_term, _agents)
    except (DataDirectoryError, FoundingError, MissingStoreError, WrongFaustError) as error:
        raise Fault(str(error)) from error


def _agents(parts: Parts) -> dict[str, Agent]:
    ledger, scorecard = LedgerAgent(parts), ScorecardAgent(parts)
    plan, calendar = parts.settings.working_plan(), parts.settings.business().calendar
    forecaster = Forecaster(parts.settings, plan.of(COMPANY, calendar))
    goals = GoalsAgent(parts, scorecard.views, plan, forecaster)
    history = history_on(parts.settings)

    def recounting(ready: Callable[[], Iterable[int]]) -> Coroutine[Any, Any, None]:
        return Recounting(ledger, history, ready).for_ever()

    def forecasting(_ready: Callable[[], Iterable[int]]) -> Coroutine[Any, Any, None]:
        return forecaster.run()

    return {
        "ledger": Agent(
            ledger.work,
            ledger.views,
            ledger.announce,
            recounting,
        ),
        "scorecard": Agent(scorecard.work, scorecard.views),
        "goals": Agent(goals.work, goals.views, background=forecasting),
    }
