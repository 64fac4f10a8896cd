"""`malvakt goals`: how goals stand, and how good forecasts of them are."""

from cyclopts import App

goals_ = App(name="goals", help="Goals, and what to expect of them.")
goals_.command("malvakt.commands.goals_backtest_:backtest", name="backtest")
