"""Connecting: every client of Kafka's is made here, as the settings say, and tells why it is not let in."""

from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.conn import AIOKafkaConnection, create_conn
from aiokafka.errors import KafkaConnectionError, KafkaError

from streams.access import WITH_USERS, Access
from streams.refusing import RefusedError, why_refused

ASKED_MS = 5_000


class _SayingWhy:
    """What all of them have before aiokafka's own: a start that says why it is in vain."""

    _access: Access

    async def start(self) -> None:
        """Connect.

        Raises:
            RefusedError: we are not let in.
            KafkaConnectionError: nobody answers.
        """
        client: Any = super()
        try:
            await client.start()
        except KafkaConnectionError as error:
            why = await _why_refused(self._access)
            if why is None:
                raise
            raise why from error


class Consumer(_SayingWhy, AIOKafkaConsumer):
    """A consumer, which says when it starts why it is not let in."""

    def __init__(self, access: Access, **options: Any) -> None:
        super().__init__(bootstrap_servers=access.broker, **_security(access), **options)
        self._access = access


class Producer(_SayingWhy, AIOKafkaProducer):
    """A producer, which says when it starts why it is not let in."""

    def __init__(self, access: Access, **options: Any) -> None:
        super().__init__(bootstrap_servers=access.broker, **_security(access), **options)
        self._access = access


class Admin(_SayingWhy, AIOKafkaAdminClient):
    """Who sees to topics and groups, and says when it starts why it is not let in."""

    def __init__(self, access: Access) -> None:
        super().__init__(bootstrap_servers=access.broker, **_security(access))
        self._access = access


async def see_that_we_are_let_in(access: Access) -> None:
    """Look, where a broker is waited for, whether that is in vain.

    To a client that runs, a broker for whom the password was changed meanwhile is one that is away.

    Raises:
        RefusedError: we are not let in.
    """
    if access.security_protocol != "PLAINTEXT" and isinstance(
        why := await _why_refused(access), RefusedError
    ):
        raise why


def for_librdkafka(access: Access) -> dict[str, str | int | float | bool]:
    """The same in librdkafka's words, for its clients; they do not log."""
    told = {
        "bootstrap.servers": access.broker,
        "security.protocol": access.security_protocol,
        "ssl.ca.location": access.ssl_ca,
        "ssl.certificate.location": access.ssl_certificate,
        "ssl.key.location": access.ssl_key,
        "sasl.mechanism": access.sasl_mechanism,
        "sasl.username": access.sasl_user,
        "sasl.password": access.password(),
    }
    return {"log_level": 0, **{name: value for name, value in told.items() if value}}


def _security(access: Access) -> dict[str, Any]:
    told: dict[str, Any] = {"security_protocol": access.security_protocol}
    told["ssl_context"] = access.ssl_context()
    if access.security_protocol in WITH_USERS:
        told["sasl_mechanism"] = access.sasl_mechanism
        told["sasl_plain_username"] = access.sasl_user
        told["sasl_plain_password"] = access.password()
    return told


async def _why_refused(access: Access) -> KafkaError | None:
    async def connect(host: str, port: int) -> AIOKafkaConnection:
        return await create_conn(host, port, request_timeout_ms=ASKED_MS, **_security(access))

    return await why_refused(access, connect)
