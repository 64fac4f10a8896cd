"""Exact amounts to the digits that people read: rounded half to even, once, and written out."""


def half_even(numerator: int, denominator: int) -> int:
    """Round an exact quotient to the nearest integer, ties to even. `denominator` is positive."""
    quotient, rest = divmod(numerator, denominator)
    twice = 2 * rest
    if twice > denominator or (twice == denominator and quotient & 1):
        return quotient + 1
    return quotient


def decimal_text(minor: int, digits: int) -> str:
    """So many minor units, of which 10 to the power of `digits` make one, as a decimal string."""
    if digits == 0:
        return str(minor)
    whole, rest = divmod(abs(minor), 10**digits)
    return f"{'-' if minor < 0 else ''}{whole}.{rest:0{digits}d}"
