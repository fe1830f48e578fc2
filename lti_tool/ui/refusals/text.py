"""What the words of a refusal are."""

from dataclasses import dataclass

from flask_babel.speaklater import LazyString


@dataclass(frozen=True, slots=True)
class ErrorText:
    """One refusal: the HTTP status, a heading, a sentence, and the way on."""

    status: int
    title: LazyString
    text: LazyString
    way_on: LazyString
