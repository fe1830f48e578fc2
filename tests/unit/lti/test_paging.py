"""The next page is where the platform says it is, to the letter (RFC 8288)."""

import string
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.lti.services import connection
from lti_tool.lti.services.connection import Reply, Unreachable
from lti_tool.lti.services.paging import may_follow, next_page

START = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
HERE = "https://moodle.example/Lists/members?page=1"
NEXT = "https://moodle.example/Lists/members?page=2"

_path = st.text(string.ascii_letters + string.digits + "-._~!$&'()*+,;=:@/%?", max_size=60)
_word = st.text(string.ascii_letters, min_size=1, max_size=8)
_quoted = st.text(string.ascii_letters + ' ,;=<>"\\', max_size=20).map(
    lambda said: '"' + said.replace("\\", "\\\\").replace('"', '\\"') + '"'
)
_parameter = st.tuples(
    _word.filter(lambda name: name.lower() != "rel"), st.none() | _word | _quoted
).map(lambda pair: pair[0] if pair[1] is None else f"{pair[0]}={pair[1]}")
_relation = st.sampled_from(["next", '"next"', '"prev next"', '"Next  last"', "NEXT"])
_other = st.sampled_from(["prev", '"last"', "nextish", '"differences"', '""'])


def _link(target: str, relation: str, before: list[str], after: list[str], space: str) -> str:
    parameters = [*before, f"rel={relation}", *after]
    return f"<{target}>" + "".join(f"{space};{space}{one}" for one in parameters)


_around = st.lists(_parameter, max_size=3)
_space = st.sampled_from(["", " ", "\t"])


@given(_path, _relation, _around, _around, _space, st.lists(st.tuples(_path, _other), max_size=3))
def test_the_target_of_next_comes_back_as_it_was_given(
    path: str,
    relation: str,
    before: list[str],
    after: list[str],
    space: str,
    others: list[tuple[str, str]],
) -> None:
    target = f"https://Moodle.example/{path}"
    links = [_link(f"https://moodle.example/{at}", rel, [], [], " ") for at, rel in others]
    links.append(_link(target, relation, before, after, space))
    assert next_page(", ".join(links), HERE) == target


@given(_path, _other, _around)
def test_no_other_relation_is_next(path: str, relation: str, around: list[str]) -> None:
    assert next_page(_link(f"https://moodle.example/{path}", relation, around, [], " "), HERE) == ""


@given(st.text())
def test_any_header_has_an_answer(header: str) -> None:
    assert isinstance(next_page(header, HERE), str)


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (f'<{NEXT}>; rel="next"', NEXT),
        (f"<{NEXT}>;rel=next", NEXT),
        (f'<{HERE}>; rel="prev", <{NEXT}>; rel="next"', NEXT),
        (f'<{NEXT}>; title="a, <b>; rel=prev"; rel=next', NEXT),
        (f"<{NEXT}>; rel=prev; rel=next", ""),  # §3.3: the first counts
        ("<?page=2>; rel=next", NEXT),
        ("</Lists/members?page=2>; rel=next", NEXT),
        ("<//moodle.example/Lists/members?page=2>; rel=next", NEXT),
        ("", ""),
        ("<>", ""),
        ("rel=next", ""),
        ("<" * 60_000, ""),
        ("<a>" + ";a" * 20_000, ""),
    ],
)
def test_headers(header: str, found: str) -> None:
    assert next_page(header, HERE) == found


@pytest.mark.parametrize(
    ("following", "may"),
    [
        (NEXT, True),
        ("https://MOODLE.example/x", True),
        ("http://moodle.example/x", False),
        ("https://moodle.example:444/x", False),
        ("https://moodle.example.evil.example/x", False),
        ("https://evil@moodle.example/x", True),
        ("https://moodle.example@evil.example/x", False),
        ("https://moodle.example\\@evil.example/x", False),
        ("https://moodle.example/\n", False),
        ("javascript:1", False),
        ("", False),
    ],
)
def test_a_token_goes_to_no_other_host(following: str, may: bool) -> None:
    assert may_follow(HERE, following) is may
    assert not may_follow("http://moodle.example/", "http://moodle.example/x")


def test_a_list_that_goes_on_for_hours_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """As slow as it may be, and always with a next page."""
    asked: list[str] = []

    def call(
        lti: Any, platform: Any, scopes: Any, method: str, url: str, *_: Any, **__: Any
    ) -> Any:
        asked.append(url)
        return Reply(200, "", b"[]", {"Link": f"<https://a.example/{len(asked)}>; rel=next"})

    lti: Any = SimpleNamespace(clock=lambda: START + len(asked) * timedelta(minutes=2))
    monkeypatch.setattr(connection, "call", call)
    with pytest.raises(Unreachable):
        list(connection.pages(lti, lti, (), "https://a.example/", ""))
    assert len(asked) < 10
