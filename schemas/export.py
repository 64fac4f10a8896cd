"""JSON Schemas of what travels, generated from the structs: `python -m schemas.export` writes them.

A test holds the files in `schemas/json/` against the structs, so that they are always current.
"""

import sys
from pathlib import Path
from typing import Any

import msgspec
import orjson

from schemas.events import EVENT_TYPES
from schemas.records import KpiRecord

DIALECT = "https://json-schema.org/draft/2020-12/schema"
FOLDER = Path(__file__).parent / "json"


def schemas() -> dict[str, dict[str, Any]]:
    """Each schema by its name: one for every event type, and the KPI record's."""
    structs: dict[str, Any] = {**EVENT_TYPES, "kpi.record": KpiRecord}
    return {
        name: {"$schema": DIALECT, "title": name, **msgspec.json.schema(struct)}
        for name, struct in structs.items()
    }


def rendered(schema: dict[str, Any]) -> bytes:
    """A schema as its file holds it."""
    return orjson.dumps(schema, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def main() -> None:
    """Write every schema to its file."""
    FOLDER.mkdir(exist_ok=True)
    for name, schema in schemas().items():
        (FOLDER / f"{name}.schema.json").write_bytes(rendered(schema))
    print(f"{len(schemas())} schemas written to {FOLDER}", file=sys.stderr)


if __name__ == "__main__":
    main()
