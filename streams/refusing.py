"""Why a broker does not let us in, in words for whoever set Målvakt up.

What a broker has against a connection aiokafka only logs: it tries the next address, and says in the end
that none would do. So the brokers are asked once more here, for the reason.
"""

import ssl
from collections.abc import Awaitable, Callable

from aiokafka.conn import AIOKafkaConnection, collect_hosts
from aiokafka.errors import (
    IllegalSaslStateError,
    KafkaConnectionError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest

from streams.access import OVER_TLS, Access

NO_AUTHORITY = {18, 19, 20, 21}
"""OpenSSL's codes for certificates that nobody vouches for whom we trust."""
OTHER_NAME = {62, 64}
"""Those for certificates of other names, and of other addresses."""

Connect = Callable[[str, int], Awaitable[AIOKafkaConnection]]
"""Connects to one broker, by host and port."""


class RefusedError(KafkaError):
    """A broker does not let us in, or is not to be trusted; the message says why, and what to do.

    It is not `retriable`: to wait for a broker is no remedy.
    """

    def __str__(self) -> str:
        return str(self.args[0])


class ClosedError(KafkaConnectionError):
    """Somebody is there and closes the connection; the message says what that may mean.

    It may be a broker on its way down or up, too, and so is waited for like one.
    """

    def __str__(self) -> str:
        return str(self.args[0])


async def why_refused(access: Access, connect: Connect) -> KafkaError | None:
    """Why brokers do not let us in; none where one of them does by now, or nobody is there."""
    first: KafkaError | None = None
    for host, port, _ in collect_hosts(access.broker):
        at = f"{host}:{port}"
        try:
            connection = await connect(host, port)
            try:
                # Who named no user is let in until now, where a user is asked for.
                await connection.send(MetadataRequest([]))
            finally:
                connection.close()
        except KafkaConnectionError as error:
            why = _of_connection(access, at, error.__cause__)
        except (KafkaError, OSError) as error:
            why = _of_users(access, at, error) or _of_connection(access, at, error)
        else:
            return None
        first = first or why
    return first


def _of_users(access: Access, at: str, error: Exception) -> RefusedError | None:
    match error:
        case SaslAuthenticationFailed():
            said = str(error.args[0] if error.args else error).rstrip(".")
            return RefusedError(
                f"Kafka at {at} does not let the user {access.sasl_user!r} in: {said}. See that it has"
                f" this user for {access.sasl_mechanism}, with this password (MALVAKT_SASL_USER,"
                " MALVAKT_SASL_MECHANISM, and MALVAKT_SASL_PASSWORD or the file of it)."
            )
        case UnsupportedSaslMechanismError():
            return RefusedError(
                f"Kafka at {at} does not take {access.sasl_mechanism}. Let MALVAKT_SASL_MECHANISM be one"
                " that it takes."
            )
        case IllegalSaslStateError():
            without = "SSL" if access.security_protocol in OVER_TLS else "PLAINTEXT"
            return RefusedError(
                f"Kafka at {at} asks for no user. Say MALVAKT_SECURITY_PROTOCOL={without}, or with"
                " MALVAKT_BROKER where it asks for one."
            )
        case _:
            return None


def _of_connection(access: Access, at: str, cause: BaseException | None) -> KafkaError | None:
    match cause:
        case ssl.SSLCertVerificationError():
            what = cause.verify_message.rstrip(".")
            advice = _advice(access, cause.verify_code)
            return RefusedError(f"The certificate of Kafka at {at} is not trusted: {what}.{advice}")
        case (
            ConnectionResetError()
            | ConnectionAbortedError()
            | EOFError()
            | ssl.SSLEOFError()
            | ssl.SSLZeroReturnError()
        ):
            return ClosedError(
                f"No Kafka answers at {at}: it closes the connection, as where something else is spoken"
                f" than {access.security_protocol}. MALVAKT_SECURITY_PROTOCOL has to say what is."
            )
        case ssl.SSLError():
            return RefusedError(_of_tls(access, at, cause.reason or "it does not say why"))
        case _:
            return None


def _advice(access: Access, code: int) -> str:
    if code in NO_AUTHORITY:
        now = f"is {access.ssl_ca!r}" if access.ssl_ca else "is not set, so that those of the system count"
        return f" MALVAKT_SSL_CA names the file of the authorities that vouch for brokers; it {now}."
    if code in OTHER_NAME:
        return " Let MALVAKT_BROKER, and what the broker advertises, be a name that the certificate has."
    return ""


def _of_tls(access: Access, at: str, reason: str) -> str:
    if "CERTIFICATE" not in reason and "UNKNOWN_CA" not in reason:
        return f"TLS cannot be agreed on with Kafka at {at} ({reason}). See that it speaks TLS there."
    if not access.ssl_certificate:
        return (
            f"Kafka at {at} wants a certificate of ours. Give MALVAKT_SSL_CERTIFICATE and MALVAKT_SSL_KEY,"
            " the files of one that it trusts and of its key."
        )
    return (
        f"Kafka at {at} does not trust our certificate, MALVAKT_SSL_CERTIFICATE={access.ssl_certificate!r}"
        f" ({reason}). Give one that is in force, of an authority that the broker trusts."
    )
