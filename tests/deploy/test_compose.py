"""The Compose file starts what there is, with settings that there are."""

import asyncio
import re
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import msgspec
import pytest
import uvicorn
import yaml
from msgspec import Struct

from malvakt.cli import app
from streams.settings import Settings, from_environment

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
OF_THE_WALL = {"MALVAKT_VIEW", "FORWARDED_ALLOW_IPS"}
"""What only `web` has, and what does not change what is counted."""
OURS = {name: service for name, service in COMPOSE.services.items() if service.image == "malvakt"}


def test_every_service_of_ours_runs_a_command_with_settings_that_exist() -> None:
    """Read-only, after Kafka, and those that count the same figures under the same settings."""
    assert set(OURS) == {"worker", "web", "notify"}
    settings = {f"MALVAKT_{name.upper()}" for name in Settings.__struct_fields__} | OF_THE_WALL
    counted = [
        {name: value for name, value in service.environment.items() if name not in OF_THE_WALL}
        for service in OURS.values()
    ]
    for service in OURS.values():
        assert app[service.command[0]]
        assert set(service.environment) <= settings
        assert service.read_only
        assert set(service.depends_on) == {"kafka"}
    assert all(one == counted[0] for one in counted)


def unset(environment: dict[str, str | int]) -> dict[str, str]:
    """As containers see it where neither `.env` nor the shell says anything."""
    return {name: re.sub(r"^\$\{\w+:-(.*)\}$", r"\1", str(value)) for name, value in environment.items()}


def test_what_is_set_in_env_arrives_and_what_is_not_is_as_without_containers() -> None:
    """All but what a container has of its own: where health is asked, and disks."""
    passed = OURS["worker"].environment
    own = {"broker", "metrics_port", "store", "data", "rocksdb_cache_mb"}
    for name in set(Settings.__struct_fields__) - own:
        variable = f"MALVAKT_{name.upper()}"
        assert str(passed[variable]).startswith(f"${{{variable}:-")
    assert from_environment(unset(passed)) == Settings(broker="kafka:19092")


@pytest.mark.parametrize(
    ("proxy", "seen"),
    [("172.18.0.1", ("203.0.113.9", "https")), ("198.51.100.7", ("198.51.100.7", "http"))],
)
def test_a_proxy_on_this_machine_says_who_asks_and_how(
    proxy: str, seen: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What visitors said before it added its own is not believed, and nothing from other machines."""
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", unset(OURS["web"].environment)["FORWARDED_ALLOW_IPS"])
    told: list[tuple[str, str]] = []

    async def asked(scope: Any, *_: object) -> None:
        told.append((scope["client"][0], scope["scheme"]))

    config = uvicorn.Config(asked, interface="asgi3", lifespan="off", log_config=None)
    config.load()
    headers = [(b"x-forwarded-for", b"6.6.6.6, 203.0.113.9"), (b"x-forwarded-proto", b"https")]
    scope = {"type": "http", "client": (proxy, 1), "scheme": "http", "headers": headers}
    asyncio.run(config.loaded_app(scope, None, None))
    assert told == [seen]


def test_nothing_is_open_to_the_network_and_the_notifier_waits_for_its_rules() -> None:
    """Whoever wants more than this machine to reach it says so."""
    ports = [port for service in COMPOSE.services.values() for port in service.ports]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)
    assert OURS["notify"].profiles == ["notify"]
    assert OURS["notify"].command[1] in [volume.split(":")[1] for volume in OURS["notify"].volumes]


@pytest.mark.parametrize("secret", [".env", "notify.env", "kafka_password.txt"])
def test_files_of_passwords_stay_out_of_git_and_of_images(secret: str) -> None:
    """Whoever puts them where we say, and adds all there is, gives nothing away."""
    said = [ROOT / "docker-compose.yml", ROOT / "docs" / "running.md"]
    assert any(f" {secret}" in file.read_text("utf-8").replace("`", " ") for file in said)
    assert secret in (ROOT / ".gitignore").read_text("utf-8").splitlines()
    let_in = [
        line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line[0] == "!"
    ]
    assert not any(fnmatch(secret, pattern) for pattern in let_in)


def test_volumes_that_are_named_are_declared() -> None:
    """Others are files beside it."""
    used = {volume.split(":")[0] for service in COMPOSE.services.values() for volume in service.volumes}
    assert {name for name in used if not name.startswith(".")} == set(COMPOSE.volumes)
