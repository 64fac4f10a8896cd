"""A real Kafka that speaks TLS and asks for certificates, users and passwords."""

import re
import subprocess
from pathlib import Path
from typing import Any

from confluent_kafka.admin import (
    AdminClient,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from streams.access import MECHANISMS, Access, Secret
from streams.connecting import for_librdkafka
from streams.local_kafka import LocalKafka, _free_port

USER, PASSWORD = "malvakt", "pass word,="
CLEAR = "PLAINTEXT"
TAKES = {"sasl_ssl": MECHANISMS, "sasl_plaintext": MECHANISMS[1:]}
_MODULE = "org.apache.kafka.common.security"


_EXTENSIONS = """\
[req]
distinguished_name = none
[none]
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[broker]
basicConstraints = CA:FALSE
subjectAltName = IP:127.0.0.1
authorityKeyIdentifier = keyid
[client]
basicConstraints = CA:FALSE
authorityKeyIdentifier = keyid
"""


class Certificates:
    """An authority and what it vouches for: in PEM, each key in a file of its own, good for two days."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        (directory / "extensions").write_text(_EXTENSIONS)
        self.ca = self._issued("authority")
        self.broker = self._issued("broker", "-CA", self.ca, "-CAkey", key_of(self.ca))
        self.client = self._issued("client", "-CA", self.ca, "-CAkey", key_of(self.ca))

    def _issued(self, name: str, *by: str | Path) -> Path:
        file = self._directory / f"{name}.pem"
        kept = ("-days", "2", "-noenc", "-keyout", key_of(file), "-out", file)
        told = ("-subj", f"/CN={name}", "-config", self._directory / "extensions", "-extensions", name)
        key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")
        command = ["openssl", "req", "-x509", *key, *told, *by, *kept]
        subprocess.run(command, check=True, capture_output=True)
        return file


def key_of(certificate: Path) -> Path:
    """The file of a certificate's key."""
    return certificate.with_suffix(".key")


class SecuredKafka(LocalKafka):
    """A broker that listens for each protocol at a port of its own. It has one user."""

    def __init__(self, directory: Path, certificates: Certificates) -> None:
        super().__init__(directory / "kafka")
        self.certificates = certificates
        self._ports = {name: _free_port() for name in ("SSL", "SASL_SSL", "SASL_PLAINTEXT")}

    def start(self) -> str:
        address = super().start()
        self.set_password(PASSWORD)
        return address

    def set_password(self, password: str) -> None:
        """Change the user's password for SCRAM, and wait until nobody is let in without it."""
        admin = AdminClient({"bootstrap.servers": self.address, "log_level": 0})
        for mechanism in (ScramMechanism.SCRAM_SHA_256, ScramMechanism.SCRAM_SHA_512):
            how = ScramCredentialInfo(mechanism, 4_096)
            user = UserScramCredentialUpsertion(USER, how, password.encode())
            admin.alter_user_scram_credentials([user])[USER].result()
        access = self.access("SASL_PLAINTEXT", sasl_password=Secret(password))
        let_in = AdminClient(for_librdkafka(access))
        # It takes a moment until all of the broker knows; librdkafka tries again.
        assert let_in.list_topics(timeout=30).brokers

    def at(self, listener: str) -> str:
        """Where it speaks a protocol."""
        return self.address if listener == CLEAR else f"127.0.0.1:{self._ports[listener]}"

    def access(self, protocol: str, at: str | None = None, **otherwise: str | Secret) -> Access:
        """All that it takes to be let in, by a protocol, at the listener for it or for another one."""
        given: dict[str, str | Secret] = {}
        if "SSL" in protocol:
            given["ssl_ca"] = str(self.certificates.ca)
        if protocol == "SSL":
            client = self.certificates.client
            given |= {"ssl_certificate": str(client), "ssl_key": str(key_of(client))}
        if "SASL" in protocol:
            given |= {
                "sasl_mechanism": "SCRAM-SHA-512",
                "sasl_user": USER,
                "sasl_password": Secret(PASSWORD),
            }
        own: dict[str, Any] = given | otherwise
        return Access(broker=self.at(at or protocol), security_protocol=protocol, **own)

    def _configure(self) -> None:
        super()._configure()
        file = self._directory / "server.properties"
        text = file.read_text("utf-8")
        also = "".join(f",{name}://127.0.0.1:{port}" for name, port in self._ports.items())
        text = re.sub(r"^(?:advertised\.)?listeners=.*", rf"\g<0>{also}", text, flags=re.MULTILINE)
        also = "".join(f",{name}:{name}" for name in self._ports)
        text = re.sub(r"^listener\.security\..*", rf"\g<0>{also}", text, flags=re.MULTILINE)
        told = {
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": "broker.pem",
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": "ca.pem",
            "listener.name.ssl.ssl.client.auth": "required",
        }
        for listener, mechanisms in TAKES.items():
            told[f"listener.name.{listener}.sasl.enabled.mechanisms"] = ",".join(mechanisms)
            for mechanism in mechanisms:
                asks = (
                    f'plain.PlainLoginModule required user_{USER}="{PASSWORD}"'
                    if mechanism == "PLAIN"
                    else "scram.ScramLoginModule required"
                )
                told[f"listener.name.{listener}.{mechanism.lower()}.sasl.jaas.config"] = (
                    f"{_MODULE}.{asks};"
                )
        file.write_text(text + "".join(f"{name}={value}\n" for name, value in told.items()), "utf-8")
        broker, ca = self.certificates.broker, self.certificates.ca
        (self._directory / "broker.pem").write_bytes(key_of(broker).read_bytes() + broker.read_bytes())
        (self._directory / "ca.pem").write_bytes(ca.read_bytes())
