"""The Compose file starts what there is, with settings that there are."""

from pathlib import Path

import msgspec
import yaml
from msgspec import Struct

from malvakt.cli import app
from streams.settings import Settings

ROOT = Path(__file__).parents[2]


class Service(Struct):
    """What is of interest here of a service."""

    image: str
    command: list[str] = []
    read_only: bool = False
    environment: dict[str, str | int] = {}
    volumes: list[str] = []
    ports: list[str] = []
    depends_on: dict[str, object] = {}
    profiles: list[str] = []


class Compose(Struct):
    """The file."""

    services: dict[str, Service]
    volumes: dict[str, object]


COMPOSE = msgspec.convert(yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8")), Compose)
OURS = {name: service for name, service in COMPOSE.services.items() if service.image == "malvakt"}


def test_every_service_of_ours_runs_a_command_with_settings_that_exist() -> None:
    """Read-only, after Kafka, and those that count the same figures under the same settings."""
    assert set(OURS) == {"worker", "web", "notify"}
    # Where the wall's view is does not change what is counted.
    view = {"MALVAKT_VIEW"}
    settings = {f"MALVAKT_{name.upper()}" for name in Settings.__struct_fields__} | view
    counted = [
        {name: value for name, value in service.environment.items() if name not in view}
        for service in OURS.values()
    ]
    for service in OURS.values():
        assert app[service.command[0]]
        assert set(service.environment) <= settings
        assert service.read_only
        assert set(service.depends_on) == {"kafka"}
    assert all(one == counted[0] for one in counted)


def test_nothing_is_open_to_the_network_and_the_notifier_waits_for_its_rules() -> None:
    """Whoever wants more than this machine to reach it says so."""
    ports = [port for service in COMPOSE.services.values() for port in service.ports]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)
    assert OURS["notify"].profiles == ["notify"]
    assert OURS["notify"].command[1] in [volume.split(":")[1] for volume in OURS["notify"].volumes]


def test_volumes_that_are_named_are_declared() -> None:
    """Others are files beside it."""
    used = {volume.split(":")[0] for service in COMPOSE.services.values() for volume in service.volumes}
    assert {name for name in used if not name.startswith(".")} == set(COMPOSE.volumes)
