"""Faults that a person, a platform or an administrator can cause.

A ``ToolError`` carries a code and facts, never words: the words for each code stand once, in
``ui/errors.py``, and ``app.py`` turns the one into the other.
"""

from typing import Final


class ToolError(Exception):
    """A refusal with a ``code`` (kebab-case, a key of ``ui.errors.ERRORS``).

    ``details`` fill the placeholders of the code's text and are shown to people; ``retry_after``
    among them is the seconds after which another try makes sense;
    ``log`` is for the operator's log alone. Neither may hold a token, an answer or an e-mail
    address.
    """

    def __init__(self, code: str, *, log: str = "", **details: str | int) -> None:
        super().__init__(code)
        self.code: Final = code
        self.log: Final = log
        self.details: Final = details
