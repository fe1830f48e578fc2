"""The one list of errors: every entry is usable as it stands."""

import re

import pytest

from lti_tool.ui.errors import ERRORS
from lti_tool.ui.refusals.general import UNKNOWN


@pytest.mark.parametrize("code", ERRORS)
def test_every_error_has_a_code_a_status_and_words(code: str) -> None:
    error = ERRORS[code]
    assert re.fullmatch(r"[a-z]+(-[a-z0-9]+)*", code)
    assert 400 <= error.status < 600
    for words in (error.title, error.text, error.way_on):
        assert str(words).strip()
        assert not re.search(r"%(?!\(\w+\)s|%)", str(words)), "write a literal per cent sign twice"


def test_only_a_fault_of_ours_is_a_server_error() -> None:
    server = {code for code, error in ERRORS.items() if error.status >= 500}
    ours = {
        *(UNKNOWN, "database-unavailable", "ledger-broken", "pack-failed", "pack-unsound"),
        *("policy-version-missing", "school-closed"),
    }
    theirs = {
        *("platform-keys-unavailable", "platform-silent", "registration-silent"),
        "teams-keys-unavailable",
    }
    assert server <= ours | theirs
