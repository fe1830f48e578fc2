"""Where a list goes on: the ``next`` link of an answer (RFC 8288), to the letter.

Its target is opaque: Moodle drops parameters from it, others hold a cursor in which case counts.
(What speaks HTTP for us writes ``%2f`` as ``%2F``, which means the same: RFC 3986 §6.2.2.1.)
"""

import re
from typing import Final
from urllib.parse import urljoin

from lti_tool.lti.claims import origin, service_url

# RFC 8288 §3: <target>; name=token; name="quoted", the next <target> …
_PARAMETER = r"""\s*;\s*([\w!#$%&'*+.^`|~-]+)\s*(?:=\s*("(?:[^"\\]|\\.)*"|[^\s";,]*))?"""
_LINK: Final = re.compile(rf"<([^<>]*)>((?:{_PARAMETER})*)")
_PARAMETERS: Final = re.compile(_PARAMETER)


def next_page(link: str, url: str) -> str:
    """The target of the header's ``next`` link, or empty where there is none.

    ``link`` is the ``Link`` header of the answer from ``url``; a relative target stands relative
    to it, any other comes back as it was given.
    """
    for target, parameters, *_ in _LINK.findall(link):
        relations = next(
            (value for name, value in _PARAMETERS.findall(parameters) if name.lower() == "rel"), ""
        )
        if "next" in relations.strip('"').lower().split():
            found: str = target if origin(target) else urljoin(url, target)
            return found
    return ""


def may_follow(url: str, following: str) -> bool:
    """Whether a token that goes to ``url`` may go to ``following`` as well: to one host alone."""
    return origin(following) == origin(url) and bool(service_url(following))
