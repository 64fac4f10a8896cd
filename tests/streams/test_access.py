"""What it takes to be let in: settings that go together, and files that can be used."""

import pickle
import subprocess
from pathlib import Path

import msgspec
import pytest
from msgspec import structs
from rich.pretty import pretty_repr

from malvakt.workers import environment_of
from streams.settings import SettingError, Settings, from_environment
from tests.malvakt.calling import malvakt
from tests.secured_kafka import Certificates, key_of

SASL = {
    "MALVAKT_SECURITY_PROTOCOL": "SASL_SSL",
    "MALVAKT_SASL_MECHANISM": "SCRAM-SHA-512",
    "MALVAKT_SASL_USER": "eva",
    "MALVAKT_SASL_PASSWORD": "hemligt",
}
FAULTS = {
    "an unknown protocol": (
        {"SECURITY_PROTOCOL": "TLS"},
        "MALVAKT_SECURITY_PROTOCOL='TLS': say one of",
    ),
    "an unknown mechanism": (
        {"SASL_MECHANISM": "GSSAPI"},
        "MALVAKT_SASL_MECHANISM='GSSAPI': say one of",
    ),
    "a user without a password": (
        {"SASL_PASSWORD": ""},
        "Set MALVAKT_SASL_PASSWORD or MALVAKT_SASL_PASSWORD_FILE",
    ),
    "a password without a user": ({"SASL_USER": ""}, "Set MALVAKT_SASL_USER, or say"),
    "no mechanism and no user": (
        {"SASL_MECHANISM": "", "SASL_USER": ""},
        "Set MALVAKT_SASL_MECHANISM, and MALVAKT_SASL_USER, or say",
    ),
    "two passwords": ({"SASL_PASSWORD_FILE": "/x"}, "MALVAKT_SASL_PASSWORD_FILE are both given. Give one"),
    "a user where none is asked for": (
        {"SECURITY_PROTOCOL": "SSL"},
        "MALVAKT_SASL_USER is given, but MALVAKT_SECURITY_PROTOCOL=SSL has no users. Say SASL_SSL",
    ),
    "an authority without TLS": (
        {"SECURITY_PROTOCOL": "SASL_PLAINTEXT", "SSL_CA": "ca.pem"},
        "MALVAKT_SSL_CA is given, but MALVAKT_SECURITY_PROTOCOL=SASL_PLAINTEXT has no TLS. Say SSL",
    ),
    "a key without a certificate": (
        {"SSL_KEY": "our.key"},
        "MALVAKT_SSL_KEY is given without MALVAKT_SSL_CERTIFICATE. Give both",
    ),
    "a certificate without a key": (
        {"SSL_CERTIFICATE": "our.pem"},
        "MALVAKT_SSL_CERTIFICATE is given without MALVAKT_SSL_KEY. Give both",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_settings_that_do_not_go_together_do_not_exist(fault: str) -> None:
    """And whoever made them is told what to do, but for the password."""
    changed, said = FAULTS[fault]
    with pytest.raises(SettingError) as raised:
        from_environment(SASL | {f"MALVAKT_{name}": text for name, text in changed.items()})
    assert said in str(raised.value)
    assert "hemligt" not in str(raised.value)


def test_a_secured_kafka_is_none_for_settings_of_a_kafka_of_our_own() -> None:
    """What is said of users has to go where the protocol has none."""
    settings = from_environment(SASL)
    with pytest.raises(SettingError, match="has no users"):
        structs.replace(settings, security_protocol="PLAINTEXT")


def test_the_password_is_told_to_processes_of_ours_and_nowhere_else() -> None:
    """Whoever prints settings, or a part of them, prints no password."""
    settings = from_environment(SASL)
    assert settings.password() == "hemligt"
    assert from_environment(environment_of(settings)) == settings
    password = settings.sasl_password
    for printed in (repr(settings), str(password), f"{password}", pretty_repr(settings)):
        assert "hemligt" not in printed
    with pytest.raises(TypeError, match="Secret"):
        msgspec.json.encode(settings)
    assert pickle.loads(pickle.dumps(settings)) == settings, "as a process that is spawned gets them"
    assert "sasl_password='***'" in repr(settings)
    assert "sasl_password=''" in repr(Settings())


@pytest.mark.parametrize("written", ["hem ligt", "hem ligt\n", "hem ligt\r\n"])
def test_a_password_can_be_in_a_file(written: str, tmp_path: Path) -> None:
    """As Docker and Kubernetes mount it, or as an editor wrote it."""
    file = tmp_path / "password"
    file.write_bytes(written.encode())
    settings = from_environment(
        SASL | {"MALVAKT_SASL_PASSWORD": "", "MALVAKT_SASL_PASSWORD_FILE": str(file)}
    )
    assert settings.password() == "hem ligt"
    assert "hem ligt" not in repr(settings)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"\n", "is empty: write the password into it"),
        (b"hemligt\xff", "is no text in UTF-8"),
    ],
)
def test_a_password_that_is_not_in_its_file_is_missed_at_the_start(
    content: bytes | None, said: str, tmp_path: Path
) -> None:
    """By every command, with status 2 and before anybody is connected to."""
    file = tmp_path / "password"
    if content is not None:
        file.write_bytes(content)
    own = {"MALVAKT_SASL_PASSWORD": "", "MALVAKT_SASL_PASSWORD_FILE": str(file)}
    done = malvakt("kpis", "--broker", "127.0.0.1:1", **(SASL | own))
    assert done.returncode == 2
    assert done.stderr.startswith(f"malvakt: MALVAKT_SASL_PASSWORD_FILE={str(file)!r} {said}")
    assert "hemligt" not in done.stderr


def encrypted(key: Path, file: Path) -> Path:
    """The key, for whoever knows a word."""
    command = ["openssl", "pkey", "-in", key, "-aes256", "-passout", "pass:word", "-out", file]
    subprocess.run(command, check=True)
    return file


def test_files_that_are_not_what_they_are_given_as_are_named_at_the_start(
    certificates: Certificates, tmp_path: Path
) -> None:
    """With what they should be."""
    missing, text = tmp_path / "missing", tmp_path / "text"
    text.write_text("-----BEGIN NOTHING-----")
    ca, ours, key = certificates.ca, certificates.client, key_of(certificates.client)
    for names, said in (
        ({"ca": missing}, f"MALVAKT_SSL_CA={str(missing)!r} cannot be read: No such file or directory."),
        ({"ca": text}, f"MALVAKT_SSL_CA={str(text)!r} holds no certificates"),
        ({"ca": tmp_path}, f"MALVAKT_SSL_CA={str(tmp_path)!r} cannot be read: Is a directory."),
        ({"certificate": missing, "key": key}, f"MALVAKT_SSL_CERTIFICATE={str(missing)!r} cannot be read"),
        ({"certificate": ours, "key": missing}, f"MALVAKT_SSL_KEY={str(missing)!r} cannot be read"),
        ({"certificate": text, "key": key}, f"MALVAKT_SSL_CERTIFICATE={str(text)!r} and MALVAKT_SSL_KEY="),
        ({"certificate": ours, "key": key_of(ca)}, "its key, both in PEM (KEY_VALUES_MISMATCH)"),
        (
            {"certificate": ours, "key": encrypted(key, tmp_path / "encrypted")},
            f"MALVAKT_SSL_KEY={str(tmp_path / 'encrypted')!r} is encrypted. Decrypt it",
        ),
    ):
        own = {f"MALVAKT_SSL_{name.upper()}": str(file) for name, file in names.items()}
        done = malvakt("kpis", "--broker", "127.0.0.1:1", MALVAKT_SECURITY_PROTOCOL="SSL", **own)
        assert done.returncode == 2, names
        assert said in done.stderr


def test_a_certificate_and_its_key_can_be_in_one_file(certificates: Certificates, tmp_path: Path) -> None:
    """Which is named twice."""
    both = tmp_path / "both.pem"
    both.write_bytes(certificates.client.read_bytes() + key_of(certificates.client).read_bytes())
    settings = Settings(security_protocol="SSL", ssl_certificate=str(both), ssl_key=str(both))
    settings.look_at_files()
    assert settings.ssl_context() is not None
