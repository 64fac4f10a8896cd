"""Our own KPIs as definitions, as far as the language can express them; shipped as `builtin.toml`."""

import tomllib
from functools import cache
from pathlib import Path
from typing import cast

import msgspec

from schemas.definitions import KpiDefinition

BUILTIN = Path(__file__).parent / "builtin.toml"


@cache
def builtin_kpis() -> dict[str, KpiDefinition]:
    """The definitions by name, in the order in which records show them."""
    tables = tomllib.loads(BUILTIN.read_text("utf-8"))["kpis"]
    return msgspec.convert(cast("object", tables), dict[str, KpiDefinition])
