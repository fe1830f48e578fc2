"""The security headers of a page."""

import pytest

from lti_tool.ui.headers import content_security_policy, security_headers


def directives(policy: str) -> dict[str, list[str]]:
    return {name: sources for name, *sources in (part.split() for part in policy.split("; "))}


def test_a_page_allows_only_our_own_origin() -> None:
    policy = directives(content_security_policy(["https://moodle.example"]))
    assert policy == {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'"],
        "font-src": ["'none'"],
        "connect-src": ["'self'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["https://moodle.example"],
    }


@pytest.mark.parametrize(
    ("ancestors", "expected"),
    [([], ["'none'"]), (["*"], ["*"]), (["https://a", "https://b"], ["https://a", "https://b"])],
)
def test_who_may_frame_is_the_callers_choice(ancestors: list[str], expected: list[str]) -> None:
    assert directives(content_security_policy(ancestors))["frame-ancestors"] == expected


def test_a_form_may_also_go_where_the_caller_says() -> None:
    policy = content_security_policy([], form_action=["https://moodle.example"])
    assert directives(policy)["form-action"] == ["'self'", "https://moodle.example"]


def test_headers_keep_pages_to_ourselves() -> None:
    headers = dict(security_headers(frame_ancestors=()))
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "camera=()" in headers["Permissions-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert "Strict-Transport-Security" not in headers


def test_browsers_are_held_to_https_where_we_have_it() -> None:
    headers = dict(security_headers(frame_ancestors=(), is_https=True))
    assert headers["Strict-Transport-Security"] == "max-age=31536000"
