"""The few errors Ecotone raises on purpose: a sentence for the user and a hint."""

from __future__ import annotations


class EcotoneError(Exception):
    """Something a user can understand and mend.

    ``message`` says what is wrong, ``hint`` what to do about it. The command
    line prints both and never a traceback. ``exit_code`` follows DESIGN
    section 5: 2 wrong usage, 3 input refused, 4 not computable.
    """

    exit_code: int = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class UsageError(EcotoneError):
    """The command, a parameter or a plan is wrong."""

    exit_code = 2


class InputRefused(EcotoneError):
    """A file is unsafe, unreadable or not what it says it is."""

    exit_code = 3


class NotComputable(EcotoneError):
    """The inputs are sound but the method cannot give a number from them."""

    exit_code = 4


class Withheld(EcotoneError):
    """The door says no: no agreement lets this reader see this."""

    exit_code = 3


class StoreError(EcotoneError):
    """The node's files or database cannot be used as they are."""

    exit_code = 1
