"""On a Kafka that speaks TLS and asks for users: who is let in, and what the others are told."""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from confluent_kafka.admin import AdminClient
from msgspec import structs

from malvakt.reaching import reached_as
from malvakt.through_kafka import settled
from malvakt.workers import WorkerProcess, environment_of
from schemas.topics import SCORECARDS
from streams import delivery as delivery_module
from streams.access import Access, Secret
from streams.connecting import Admin, Consumer, Producer, for_librdkafka
from streams.delivery import Delivery, Outgoing
from streams.following import Identities
from streams.refusing import ClosedError, RefusedError
from streams.settings import Settings
from streams.topic_setup import delete_topics, set_up_topics
from tests.malvakt.calling import malvakt, malvakt_process
from tests.secured_kafka import PASSWORD, Certificates, SecuredKafka, key_of

EXAMPLES = Path(__file__).parents[2] / "schemas" / "examples"
WRONG = "fel lösen"


def connect(access: Access, client: Callable[[Access], Any] = Consumer) -> None:
    """Start a client, and stop it."""

    async def run() -> None:
        started = client(access)
        try:
            await started.start()
        finally:
            await (started.close() if isinstance(started, Admin) else started.stop())

    asyncio.run(run())


@pytest.mark.parametrize(
    ("protocol", "mechanism"),
    [
        ("PLAINTEXT", ""),
        ("SSL", ""),
        ("SASL_SSL", "PLAIN"),
        ("SASL_SSL", "SCRAM-SHA-256"),
        ("SASL_SSL", "SCRAM-SHA-512"),
        ("SASL_PLAINTEXT", "SCRAM-SHA-256"),
        ("SASL_PLAINTEXT", "SCRAM-SHA-512"),
    ],
)
def test_who_says_what_a_broker_wants_to_hear_is_let_in(
    protocol: str, mechanism: str, secured_kafka: SecuredKafka
) -> None:
    """By aiokafka and by librdkafka."""
    access = structs.replace(secured_kafka.access(protocol), sasl_mechanism=mechanism)
    connect(access, Admin)
    assert AdminClient(for_librdkafka(access)).list_topics(timeout=20).brokers


@pytest.mark.parametrize("client", [Consumer, Producer, Admin])
@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256"])
def test_a_wrong_password_is_told_by_every_client(
    client: Callable[[Access], Any], mechanism: str, secured_kafka: SecuredKafka
) -> None:
    """With the user and the mechanism, and without the password."""
    access = secured_kafka.access("SASL_SSL", sasl_mechanism=mechanism, sasl_password=Secret(WRONG))
    with pytest.raises(RefusedError) as raised:
        connect(access, client)
    said = str(raised.value)
    assert said.startswith(
        f"Kafka at {access.broker} does not let the user 'malvakt' in: Authentication failed"
    )
    assert f"this user for {mechanism}, with this password (MALVAKT_SASL_USER," in said
    assert WRONG not in said
    assert not raised.value.retriable


def test_a_certificate_that_nobody_trusted_vouches_for_is_told(
    secured_kafka: SecuredKafka, certificates: Certificates
) -> None:
    """With the file of those who are trusted, if there is one."""
    for ca, said in (
        (str(certificates.ca), f"it is '{certificates.ca}'."),
        ("", "it is not set, so that those"),
    ):
        with pytest.raises(RefusedError) as raised:
            connect(secured_kafka.access("SASL_SSL", ssl_ca=ca))
        assert "is not trusted: unable to get local issuer certificate. MALVAKT_SSL_CA" in str(raised.value)
        assert said in str(raised.value)


def test_a_certificate_for_another_name_is_told(secured_kafka: SecuredKafka) -> None:
    """Whose it may be is nobody's word that it is the broker's."""
    access = secured_kafka.access("SASL_SSL")
    with pytest.raises(RefusedError, match=r"not valid for 'localhost'\. Let MALVAKT_BROKER"):
        connect(structs.replace(access, broker=access.broker.replace("127.0.0.1", "localhost")))


def test_a_certificate_of_ours_is_asked_for_and_has_to_be_trusted(
    secured_kafka: SecuredKafka, certificates: Certificates
) -> None:
    """Where the listener says so."""
    with pytest.raises(RefusedError, match=r"wants a certificate of ours\. Give MALVAKT_SSL_CERTIFICATE"):
        connect(secured_kafka.access("SSL", ssl_certificate="", ssl_key=""))
    own = {"ssl_certificate": str(certificates.client), "ssl_key": str(key_of(certificates.client))}
    with pytest.raises(RefusedError, match="does not trust our certificate, MALVAKT_SSL_CERTIFICATE="):
        connect(secured_kafka.access("SSL", **own))


def test_what_a_listener_does_not_take_is_told(secured_kafka: SecuredKafka) -> None:
    """A mechanism, or that there is a user at all."""
    with pytest.raises(RefusedError, match=r"does not take PLAIN\. Let MALVAKT_SASL_MECHANISM"):
        connect(secured_kafka.access("SASL_PLAINTEXT", sasl_mechanism="PLAIN"))
    with pytest.raises(RefusedError, match=r"asks for no user\. Say MALVAKT_SECURITY_PROTOCOL=PLAINTEXT,"):
        connect(secured_kafka.access("SASL_PLAINTEXT", at="PLAINTEXT"))


@pytest.mark.parametrize(
    ("protocol", "at"),
    [
        ("PLAINTEXT", "SSL"),
        ("PLAINTEXT", "SASL_PLAINTEXT"),
        ("SSL", "PLAINTEXT"),
        ("SSL", "SASL_SSL"),
        ("SASL_PLAINTEXT", "SASL_SSL"),
        ("SASL_SSL", "SASL_PLAINTEXT"),
    ],
)
def test_that_something_else_may_be_spoken_is_told_where_connections_are_closed(
    protocol: str, at: str, secured_kafka: SecuredKafka
) -> None:
    """It may be a broker on its way down, too: so it is as if nobody answered."""
    access = secured_kafka.access(protocol, at=at)
    with pytest.raises(ClosedError) as raised:
        connect(access)
    said = str(raised.value)
    assert said.startswith(f"No Kafka answers at {access.broker}: it closes the connection")
    assert f"something else is spoken than {protocol}. MALVAKT_SECURITY_PROTOCOL" in said
    assert raised.value.retriable


@pytest.fixture
def secured(secured_kafka: SecuredKafka, tmp_path: Path) -> Settings:
    """An installation over TLS, with its user's password in a file."""
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\n")
    access = secured_kafka.access("SASL_SSL", sasl_password=Secret(), sasl_password_file=str(file))
    own = Settings(app_id="secured", topic_prefix="secured.", partitions=2, metrics_port=0, forecast=False)
    return reached_as(own, access)


def test_events_are_counted_over_tls(secured: Settings, tmp_path: Path) -> None:
    """From emit through a worker to its figures and their recount, as on any other Kafka."""
    environment = environment_of(secured)
    events = tmp_path / "events.jsonl"
    events.write_bytes(orjson.dumps(orjson.loads((EXAMPLES / "deal.won.json").read_bytes())))
    emitted = malvakt("emit", events, **environment)
    assert emitted.returncode == 0, emitted.stderr
    worker = WorkerProcess(secured)
    try:
        asyncio.run(settled(secured, [worker]))
        shown = malvakt("kpis", "--json", "--scope", "company", "--grain", "ever", **environment)
        reconciled = malvakt("reconcile", "--wait", "0.1", **environment)
        known = Identities(secured, [SCORECARDS.name]).now()
        logged = worker.last_lines()
    finally:
        worker.stop()
        asyncio.run(delete_topics(secured))
    [record] = map(orjson.loads, shown.stdout.splitlines())
    assert (record["measures"]["deals_won"], record["measures"]["revenue"]) == (1, "125000.00")
    assert reconciled.returncode == 0, reconciled.stderr
    assert list(known) == [SCORECARDS.name]
    assert PASSWORD not in emitted.stderr + shown.stderr + reconciled.stderr + logged


@pytest.mark.parametrize(
    "command", ["kpis", "worker", "web --open --port 1", "replay - --through kafka --broker {broker}"]
)
def test_a_command_that_is_not_let_in_says_why_and_ends(
    command: str, secured_kafka: SecuredKafka, tmp_path: Path
) -> None:
    """In one line, with status 1, whatever it would go on to do."""
    access = secured_kafka.access("SASL_SSL", sasl_password=Secret(WRONG))
    own = environment_of(reached_as(Settings(metrics_port=0), access)) | {"XDG_DATA_HOME": str(tmp_path)}
    # A worker has its process to itself.
    call = malvakt_process if command == "worker" else malvakt
    done = call(*command.format(broker=access.broker).split(), **own)
    assert done.returncode == 1, done.stderr
    assert re.fullmatch(r"malvakt: Kafka at \S+ does not let the user 'malvakt' in: [^\n]+\n", done.stderr)
    assert WRONG not in done.stderr + done.stdout


def test_a_command_that_does_not_trust_kafka_says_why_and_sends_nothing(
    secured: Settings, certificates: Certificates, tmp_path: Path
) -> None:
    """In one line, with status 1."""
    events = tmp_path / "events.jsonl"
    events.write_bytes(b"")
    done = malvakt("emit", events, **environment_of(structs.replace(secured, ssl_ca=str(certificates.ca))))
    assert done.returncode == 1
    assert re.fullmatch(r"malvakt: The certificate of Kafka at \S+ is not trusted: [^\n]+\n", done.stderr)


def test_who_is_not_let_in_any_more_does_not_wait_for_ever(
    secured: Settings, secured_kafka: SecuredKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A password that was changed while connections were lost is no broker that is away."""
    monkeypatch.setattr(delivery_module, "REQUEST_TIMEOUT_S", 1.0)
    topic = secured.topic(SCORECARDS.name)

    async def run() -> None:
        await set_up_topics(secured)
        async with Delivery(secured) as delivery:
            await delivery.write([Outgoing(topic, 0, "k", b"{}")])
            secured_kafka.set_password("another")
            for connection in list(delivery._producer.client._conns.values()):
                connection.close()
            with pytest.raises(RefusedError, match="does not let the user 'malvakt' in"):
                await asyncio.wait_for(delivery.write([Outgoing(topic, 0, "k", b"{}")]), 60)

    try:
        asyncio.run(run())
    finally:
        secured_kafka.set_password(PASSWORD)
        asyncio.run(delete_topics(secured))
