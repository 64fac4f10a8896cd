"""Why a broker does not let us in, where no Kafka is needed to hear it."""

import asyncio
from typing import Any

import pytest
from aiokafka.errors import SaslAuthenticationFailed

from streams.access import Access, Secret
from streams.connecting import Consumer
from streams.refusing import ClosedError, RefusedError, why_refused

CLOSE_NOTIFY = bytes.fromhex("15030300020100")
"""TLS's goodbye, which a broker on its way down says to whoever is about to greet it."""
USER = Access(
    broker="a:1,b:2,c:3",
    security_protocol="SASL_PLAINTEXT",
    sasl_mechanism="PLAIN",
    sasl_user="eva",
    sasl_password=Secret("hemligt"),
)


def test_a_broker_that_says_goodbye_is_waited_for() -> None:
    """It is on its way down, or up: no worker ends for it."""

    async def goodbye(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(CLOSE_NOTIFY)
        await writer.drain()
        writer.close()

    async def run() -> None:
        async with await asyncio.start_server(goodbye, "127.0.0.1", 0) as server:
            host, port = server.sockets[0].getsockname()
            consumer = Consumer(Access(broker=f"{host}:{port}", security_protocol="SSL"))
            try:
                with pytest.raises(ClosedError, match="closes the connection"):
                    await consumer.start()
            finally:
                await consumer.stop()

    asyncio.run(run())


class LetIn:
    """A connection that is answered."""

    async def send(self, _request: object) -> None:
        """It is."""

    def close(self) -> None:
        """Nothing is open."""


async def why(refusing: str) -> Any:
    async def connect(host: str, _port: int) -> Any:
        if host in refusing:
            raise SaslAuthenticationFailed("Authentication failed")
        return LetIn()

    return await why_refused(USER, connect)


@pytest.mark.parametrize("refusing", ["", "a", "ab"])
def test_one_broker_that_lets_us_in_is_enough(refusing: str) -> None:
    """Another may not have heard of a new password yet; it is asked in no order that could be told."""

    async def asked() -> list[Any]:
        return [await why(refusing) for _ in range(20)]

    assert asyncio.run(asked()) == [None] * 20


def test_where_none_does_it_is_said_why() -> None:
    """By the user and the mechanism."""
    refused = asyncio.run(why("abc"))
    assert isinstance(refused, RefusedError)
    assert "the user 'eva'" in str(refused)
