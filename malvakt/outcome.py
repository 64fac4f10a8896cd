"""How a command ends: 0 done, 1 it ran and found a fault, 2 the call was wrong."""


class CallError(Exception):
    """The call was wrong; the message says what to call instead. Exit status 2."""


class Fault(Exception):  # noqa: N818
    """The command ran and found a fault, or could not go on; the message says which. Exit status 1."""
