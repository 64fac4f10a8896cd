"""Settings from the environment."""

import pytest

from streams.settings import SettingError, Settings, from_environment


def test_variables_override_the_defaults() -> None:
    """Each by its name, turned into its type."""
    found = from_environment(
        {"MALVAKT_BROKER": "k:1", "MALVAKT_PARTITIONS": "4", "MALVAKT_DECLARE_TOPICS": "false", "X": "y"}
    )
    assert found == Settings(broker="k:1", partitions=4, declare_topics=False)


@pytest.mark.parametrize(
    ("variable", "text"), [("MALVAKT_PARTITIONS", "many"), ("MALVAKT_DECLARE_TOPICS", "maybe")]
)
def test_a_value_that_cannot_be_used_is_named(variable: str, text: str) -> None:
    """With the variable and what it said."""
    with pytest.raises(SettingError, match=f"{variable}='{text}'"):
        from_environment({variable: text})
