"""Exact amounts to the digits that people read: rounded half to even, once, and written out."""

POWERS = tuple(10**digits for digits in range(5))
"""How many minor units make one, by how many digits they have: ISO 4217 knows up to 4."""


def half_even(numerator: int, denominator: int) -> int:
    """Round an exact quotient to the nearest integer, ties to even. `denominator` is positive."""
    quotient, rest = divmod(numerator, denominator)
    twice = 2 * rest
    if twice > denominator or (twice == denominator and quotient & 1):
        return quotient + 1
    return quotient


def decimal_text(minor: int, digits: int) -> str:
    """So many minor units, of which `POWERS[digits]` make one, as a decimal string."""
    if digits == 0:
        return str(minor)
    if minor < 0:
        return f"-{decimal_text(-minor, digits)}"
    written = str(minor).zfill(digits + 1)
    return f"{written[:-digits]}.{written[-digits:]}"
