"""How many examples a property is tried on: some wherever all tests run, ten times that if asked to."""

from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.register_profile("deep", deadline=None, max_examples=1_000)

USUAL = 100
"""Where a test does not say; the profile that is loaded says how many times as many all are."""


def examples(few: int) -> settings:
    """So many, of a property that takes long to try."""
    return settings(max_examples=few * settings.default.max_examples // USUAL)
