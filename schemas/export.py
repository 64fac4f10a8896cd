"""What is generated from the structs: JSON Schemas, and the tables of types in `docs/events.md`.

`python -m schemas.export` writes them. Tests hold them against the structs, so that they are current.
"""

import re
import sys
from pathlib import Path
from typing import Any

import msgspec
import orjson
from msgspec.structs import FieldInfo

from schemas.definitions import DefinitionRecord
from schemas.events import EVENT_TYPES, ActivityKind, CostCategory, fields_of
from schemas.records import KpiRecord
from schemas.topics import CRM_TOPICS

DIALECT = "https://json-schema.org/draft/2020-12/schema"
FOLDER = Path(__file__).parent / "json"
GUIDE = Path(__file__).parents[1] / "docs" / "events.md"

_TABLES = re.compile(r"(?<=<!-- types -->\n).*(?=<!-- /types -->)", re.DOTALL)
_CHOICES = {"kind": ActivityKind, "category": CostCategory}


def schemas() -> dict[str, dict[str, Any]]:
    """Each schema by its name: one for every event type, the KPI record's and a definition's."""
    structs: dict[str, Any] = {
        **EVENT_TYPES,
        "kpi.record": KpiRecord,
        "definition.record": DefinitionRecord,
    }
    return {
        name: {"$schema": DIALECT, "title": name, **msgspec.json.schema(struct)}
        for name, struct in structs.items()
    }


def rendered(schema: dict[str, Any]) -> bytes:
    """A schema as its file holds it."""
    return orjson.dumps(schema, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def guide(text: str) -> str:
    """The guide to events, with its tables of types as the structs are now."""
    return _TABLES.sub(lambda _: "\n" + "\n".join(_type_tables()) + "\n", text)


def _type_tables() -> list[str]:
    lines: list[str] = []
    for topic in CRM_TOPICS:
        lines += [
            f"**`{topic.name}`**, keyed by {topic.key}",
            "",
            "| type | says | data |",
            "|---|---|---|",
        ]
        for kind, event in EVENT_TYPES.items():
            if event.topic == topic.name:
                lines.append(f"| `{kind}` | {_meaning(kind)} | {', '.join(map(_field, fields_of(kind)))} |")
        lines.append("")
    return lines[:-1]


def _meaning(kind: str) -> str:
    """What a type says: the first line of its data's docstring."""
    [data] = (field.type for field in msgspec.structs.fields(EVENT_TYPES[kind]) if field.name == "data")
    return data.__doc__.partition("\n")[0].rstrip(".")


def _field(field: FieldInfo) -> str:
    text = f"**{field.encode_name}**" if field.required else field.encode_name
    if field.encode_name in _CHOICES:
        text += f" ({', '.join(f'`{choice}`' for choice in _CHOICES[field.encode_name].__args__)})"
    return text


def main() -> None:
    """Write every schema to its file, and the tables into the guide."""
    FOLDER.mkdir(exist_ok=True)
    for name, schema in schemas().items():
        (FOLDER / f"{name}.schema.json").write_bytes(rendered(schema))
    GUIDE.write_text(guide(GUIDE.read_text("utf-8")), "utf-8")
    print(f"{len(schemas())} schemas written to {FOLDER}, and tables to {GUIDE}", file=sys.stderr)


if __name__ == "__main__":
    main()
