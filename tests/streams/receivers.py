"""A webhook receiver and a mail server on this machine, which remember what they were sent."""

import json
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from aiosmtpd.controller import Controller


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Call(NamedTuple):
    """What a webhook was sent, by whom."""

    path: str
    title: str
    sender: str


class Webhooks:
    """Takes what it is sent; but for the first few, which it refuses, and what it is to hold."""

    def __init__(self, refuse: int = 0) -> None:
        self.calls: list[Call] = []
        self.refused = 0
        self.held: list[Call] = []
        self.hold_from: int | None = None
        """From how many calls on it holds: it has taken a call, but whoever called does not hear of it."""
        self.release = threading.Event()
        self._refuse = refuse
        self._lock = threading.Lock()
        webhooks = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body: Any = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                path, sender = self.path.strip("/"), self.headers.get("X-Sender", "")
                taken = webhooks.take(Call(path, body["title"], sender))
                try:
                    self.send_response(200 if taken else 503)
                    self.end_headers()
                except OSError:
                    # Whoever called was killed.
                    return

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def take(self, call: Call) -> bool:
        with self._lock:
            if self.refused < self._refuse:
                self.refused += 1
                return False
            self.calls.append(call)
            holds = self.hold_from is not None and len(self.calls) >= self.hold_from
            if holds:
                self.held.append(call)
        if holds:
            self.release.wait(30)
        return True

    def counted(self) -> Counter[tuple[str, str]]:
        """How often each path was sent each title."""
        with self._lock:
            return Counter((call.path, call.title) for call in self.calls)

    def stop(self) -> None:
        self.release.set()
        self._server.shutdown()


@contextmanager
def webhooks(refuse: int = 0) -> Iterator[Webhooks]:
    """A receiver that refuses the first calls."""
    running = Webhooks(refuse)
    try:
        yield running
    finally:
        running.stop()


class Mails:
    """A mail server's handler that keeps each mail's subject and text."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, str]] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        mail = message_from_bytes(envelope.content, policy=policy.default)
        part = mail.get_body(("plain", "html"))
        self.taken.append((str(mail["subject"]), part.get_content() if part else ""))
        return "250 Taken"


@contextmanager
def mail_server() -> Iterator[tuple[int, Mails]]:
    """A mail server: its port, and what it took."""
    mails = Mails()
    controller = Controller(mails, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        yield controller.port, mails
    finally:
        controller.stop()
