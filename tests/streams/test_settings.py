"""Settings from the environment."""

import msgspec
import pytest

from streams.settings import SettingError, Settings, from_environment


def test_variables_override_the_defaults() -> None:
    """Each by its name, turned into its type."""
    found = from_environment(
        {"MALVAKT_BROKER": "k:1", "MALVAKT_PARTITIONS": "4", "MALVAKT_DECLARE_TOPICS": "false", "X": "y"}
    )
    assert found == Settings(broker="k:1", partitions=4, declare_topics=False)


def test_a_number_that_is_left_empty_is_not_set() -> None:
    """As Compose passes on what nobody set."""
    assert from_environment({"MALVAKT_RAW_DAYS": "", "MALVAKT_TICKS_S": ""}) == Settings()
    assert from_environment({"MALVAKT_RAW_DAYS": "730"}).raw_days == 730


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("MALVAKT_PARTITIONS", "many"),
        ("MALVAKT_DECLARE_TOPICS", "maybe"),
        ("MALVAKT_BROKER", "kafka"),
        ("MALVAKT_BROKER", "kafka:0"),
        ("MALVAKT_BROKER", "kafka:9092,:9092"),
        ("MALVAKT_APP_ID", ""),
        ("MALVAKT_CURRENCY", "sek"),
        ("MALVAKT_CURRENCY", "kronor"),
        ("MALVAKT_TIMEZONE", "Europe/Atlantis"),
        ("MALVAKT_TIMEZONE", ""),
        ("MALVAKT_TIMEZONE", "../etc"),
        ("MALVAKT_STORE", "rocks"),
        ("MALVAKT_ROCKSDB_CACHE_MB", "1GB"),
    ],
)
def test_a_value_that_cannot_be_used_is_named(variable: str, text: str) -> None:
    """With the variable and what it said."""
    with pytest.raises(SettingError, match=f"{variable}='{text}'"):
        from_environment({variable: text})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("partitions", 0),
        ("replication", -1),
        ("metrics_port", 65_536),
        ("metrics_port", -1),
        ("session_timeout_s", 0.0),
        ("session_timeout_s", float("nan")),
        ("session_timeout_s", float("inf")),
        ("rocksdb_cache_mb", 0),
        ("raw_days", -1),
        ("raw_days", 40_000),
        ("currency", "SEK\n"),
        ("timezone", "Mars/Olympus"),
    ],
)
def test_settings_that_cannot_be_used_do_not_exist(name: str, value: object) -> None:
    """From the environment, made by hand, or changed by an option: the same sentence."""
    for make in (
        lambda: Settings(**{name: value}),  # type: ignore[arg-type]
        lambda: msgspec.structs.replace(Settings(), **{name: value}),
        lambda: from_environment({f"MALVAKT_{name.upper()}": str(value)}),
    ):
        with pytest.raises(SettingError, match=f"(?i){name}="):
            make()


@pytest.mark.parametrize("broker", ["k:1", "a.example:9092,b.example:9093", "[::1]:9092"])
def test_one_or_more_brokers_can_be_named(broker: str) -> None:
    """Each by its host and port."""
    assert from_environment({"MALVAKT_BROKER": broker}).broker == broker
