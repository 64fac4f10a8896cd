"""The image can be built: what the Dockerfile copies is let in, and it is what the wheel is made of."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
WHEEL = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
IGNORE = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
COPIED = [
    source
    for line in (ROOT / "deploy" / "Dockerfile").read_text("utf-8").splitlines()
    if line.startswith("COPY ") and "--from" not in line
    for source in line.split()[1:-1]
]


def test_whatever_the_dockerfile_copies_is_let_into_the_build() -> None:
    """Nothing is, but what `.dockerignore` names."""
    assert IGNORE[0] == "*"
    assert {f"!{source}" for source in COPIED} == {line for line in IGNORE if line.startswith("!")}
    assert all((ROOT / source).exists() for source in COPIED)


def test_the_image_has_the_packages_of_the_wheel() -> None:
    """Each of them, so that no command lacks a module, and nothing else."""
    assert [source for source in COPIED if (ROOT / source).is_dir()] == WHEEL["packages"]
