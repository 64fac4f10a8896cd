"""How Kafka is reached: where it is, how it proves to be ours, and who we say we are.

A part of `Settings`, in Kafka's own words. `streams/connecting.py` makes clients of it, and nobody else.
"""

import ssl
from functools import cache
from pathlib import Path

from msgspec import Struct

OVER_TLS = frozenset({"SSL", "SASL_SSL"})
WITH_USERS = frozenset({"SASL_PLAINTEXT", "SASL_SSL"})
PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")


class SettingError(ValueError):
    """A setting has a value that cannot be used; the message names it."""


class Secret:
    """What must stand in no log, message or representation: only who asks for `told` gets it.

    No struct, which would tell its fields to whoever encodes it, or prints it at length.
    """

    __slots__ = ("told",)

    def __init__(self, told: str = "") -> None:
        self.told = told

    def __bool__(self) -> bool:
        return bool(self.told)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self.told == other.told

    def __hash__(self) -> int:
        return hash(self.told)

    def __repr__(self) -> str:
        return "'***'" if self else "''"


class Access(Struct, frozen=True, kw_only=True):
    """Where Kafka is, and what it takes to be let in."""

    broker: str = "127.0.0.1:9092"
    """Addresses of Kafka brokers, `host:port`, comma-separated."""
    security_protocol: str = "PLAINTEXT"
    """What is spoken there: with `SSL` in its name over TLS, with `SASL` as a user with a password."""
    ssl_ca: str = ""
    """The PEM file of the authorities that vouch for brokers; those the system trusts if empty."""
    ssl_certificate: str = ""
    """The PEM file of our own certificate, where brokers ask for one."""
    ssl_key: str = ""
    """The PEM file of its key."""
    sasl_mechanism: str = ""
    """How it is shown that the password is known."""
    sasl_user: str = ""
    sasl_password: Secret = Secret()
    sasl_password_file: str = ""
    """The file that the password is in, where it is not given itself."""

    def __post_init__(self) -> None:
        fault = self._fault_of_tls() or self._fault_of_users()
        if fault is not None:
            raise SettingError(fault)

    def look_at_files(self) -> None:
        """See that the files that are named can be used, before anybody is connected to.

        Raises:
            SettingError: one cannot; the message says which and why.
        """
        self.ssl_context()
        self.password()

    def ssl_context(self) -> ssl.SSLContext | None:
        """Whom we trust and what we show, where TLS is spoken. The files are read once.

        Raises:
            SettingError: a file cannot be used.
        """
        if self.security_protocol not in OVER_TLS:
            return None
        return _context(self.ssl_ca, self.ssl_certificate, self.ssl_key)

    def password(self) -> str:
        """The password. Its file is read once.

        Raises:
            SettingError: the file cannot be used.
        """
        secret = _secret_in(self.sasl_password_file) if self.sasl_password_file else self.sasl_password
        return secret.told

    def _fault_of_tls(self) -> str | None:
        given = self._given("ssl_ca", "ssl_certificate", "ssl_key")
        if given and self.security_protocol not in OVER_TLS:
            return (
                f"{given[0]} is given, but MALVAKT_SECURITY_PROTOCOL={self.security_protocol} has no TLS."
                " Say SSL, or SASL_SSL with a user and a password."
            )
        if bool(self.ssl_certificate) != bool(self.ssl_key):
            lacks = "MALVAKT_SSL_KEY" if self.ssl_certificate else "MALVAKT_SSL_CERTIFICATE"
            return (
                f"{given[-1]} is given without {lacks}. Give both (the same file, where both are in it), or"
                " neither where the brokers ask for no certificate."
            )
        return None

    def _fault_of_users(self) -> str | None:
        passwords = self._given("sasl_password", "sasl_password_file")
        given = [*self._given("sasl_user"), *passwords, *self._given("sasl_mechanism")]
        if self.security_protocol not in WITH_USERS:
            if not given:
                return None
            return (
                f"{given[0]} is given, but MALVAKT_SECURITY_PROTOCOL={self.security_protocol} has no users."
                " Say SASL_SSL, or SASL_PLAINTEXT where the brokers do not speak TLS."
            )
        if len(passwords) > 1:
            return f"{' and '.join(passwords)} are both given. Give one of them."
        lacking = {
            "MALVAKT_SASL_MECHANISM": self.sasl_mechanism,
            "MALVAKT_SASL_USER": self.sasl_user,
            "MALVAKT_SASL_PASSWORD or MALVAKT_SASL_PASSWORD_FILE": passwords,
        }
        missing = [name for name, value in lacking.items() if not value]
        if missing:
            return (
                f"MALVAKT_SECURITY_PROTOCOL={self.security_protocol} takes mechanism, user and password."
                f" Set {', and '.join(missing)}, or say PLAINTEXT or SSL where the brokers ask for no user."
            )
        return None

    def _given(self, *names: str) -> list[str]:
        """The variables of those settings that say something."""
        return [f"MALVAKT_{name.upper()}" for name in names if getattr(self, name)]


@cache
def _context(ca: str, certificate: str, key: str) -> ssl.SSLContext:
    if ca:
        _read("MALVAKT_SSL_CA", ca)
    try:
        context = ssl.create_default_context(cafile=ca or None)
    except ssl.SSLError as error:
        raise SettingError(
            f"MALVAKT_SSL_CA={ca!r} holds no certificates: give a file of one or more in PEM"
            " (-----BEGIN CERTIFICATE-----)."
        ) from error
    if certificate:
        _read("MALVAKT_SSL_CERTIFICATE", certificate)
        if b"ENCRYPTED" in _read("MALVAKT_SSL_KEY", key):
            # OpenSSL would ask for its password at the terminal, if there is one.
            raise SettingError(
                f"MALVAKT_SSL_KEY={key!r} is encrypted. Decrypt it into a file that nobody else reads:"
                " openssl pkey -in ENCRYPTED -out KEY."
            )
        try:
            context.load_cert_chain(certificate, key)
        except ssl.SSLError as error:
            raise SettingError(
                f"MALVAKT_SSL_CERTIFICATE={certificate!r} and MALVAKT_SSL_KEY={key!r} are no certificate"
                f" and its key, both in PEM ({error.reason or 'unreadable'})."
            ) from error
    return context


@cache
def _secret_in(file: str) -> Secret:
    said = f"MALVAKT_SASL_PASSWORD_FILE={file!r}"
    try:
        text = _read("MALVAKT_SASL_PASSWORD_FILE", file).decode()
    except UnicodeDecodeError:
        # With nothing of what is in it, and so without its cause.
        raise SettingError(f"{said} is no text in UTF-8.") from None
    # Editors and `echo` end the line; nobody ends a password so.
    password = text.removesuffix("\n").removesuffix("\r")
    if not password:
        raise SettingError(f"{said} is empty: write the password into it, and nothing else.")
    return Secret(password)


def _read(variable: str, file: str) -> bytes:
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise SettingError(f"{variable}={file!r} cannot be read: {error.strerror}.") from error
