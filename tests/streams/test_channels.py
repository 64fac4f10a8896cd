"""Channels: what counts as taken."""

import socket
import time

import pytest

from streams import channels
from streams.channels import Channel, is_usable
from tests.streams.receivers import free_port, mail_server, webhooks


def test_what_a_server_takes_is_taken_and_what_it_refuses_is_not() -> None:
    with webhooks(refuse=1) as hooks:
        channel = Channel(f"json://127.0.0.1:{hooks.port}/path")
        assert not channel.send("Title", "Body", "warning")
        assert channel.send("Title", "Body", "warning")
        assert [(call.path, call.title) for call in hooks.calls] == [("path", "Title")]
    assert not Channel(f"json://127.0.0.1:{free_port()}/").send("Title", "Body", "info")


def test_a_mail_arrives_as_it_was_written() -> None:
    with mail_server() as (port, mails):
        url = f"mailto://127.0.0.1:{port}?from=a@example.com&to=b@example.com&mode=insecure"
        assert Channel(url).send("Rubrik på svenska", "Å, ä & ö <33 400 kr> *1*\n\nSlut", "failure")
    assert mails.taken == [("Rubrik på svenska", "Å, ä & ö <33 400 kr> *1*\r\n\r\nSlut\r\n")]


@pytest.mark.parametrize("scheme", ["json", "mailto"])
def test_a_server_that_never_answers_is_given_up(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channels, "READ_S", 0.3)
    monkeypatch.setattr(channels, "CONNECT_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        url = f"{scheme}://{address}?from=a@example.com&to=b@example.com&mode=insecure"
        started = time.monotonic()
        assert not Channel(url).send("Title", "Body", "info")
    assert time.monotonic() - started < 3


def test_what_apprise_does_not_know_is_no_address() -> None:
    assert is_usable("json://localhost")
    assert not is_usable("carrier-pigeon://loft")
    assert not is_usable("")
