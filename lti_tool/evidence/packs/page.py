"""The page that checks a pack in a browser: one file, with all that it needs, and no network.

Its policy names the digests of its own script and style and allows nothing else, so that not even
an altered pack can make it ask somebody.
"""

import base64
import json
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from flask import current_app
from flask_babel import gettext as _
from markupsafe import Markup

from lti_tool.evidence.packs.words import AUDIENCES
from lti_tool.evidence.proof.words import ERASED, EXPLAINED, FINDINGS, MISTYPED, VERDICTS

ASSETS: Final = Path(__file__).with_name("assets")


def page() -> bytes:
    """The whole page. Needs an application context, for its words."""
    words = json.dumps(_words()).replace("<", "\\u003c")
    template = current_app.jinja_env.get_template("packs/verify.html")
    return template.render(
        policy=policy(),
        style=_whole("style", _asset("verify.css")),
        script=_whole("script", _asset("verify.js")),
        words=_whole("script", words, ' type="application/json" id="words"'),
    ).encode()


def policy() -> str:
    """What the page may do: run its own script, wear its own style, and nothing else."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src '{_digest('verify.js')}'",
            f"style-src '{_digest('verify.css')}'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _words() -> dict[str, Any]:
    """Every sentence the script can say."""
    return {
        "findings": {code: _(words) for code, words in FINDINGS.items()},
        "verdicts": {code: _(words) for code, words in VERDICTS.items()},
        "explained": {code: _(words) for code, words in EXPLAINED.items()},
        "mistyped": {code: _(words) for code, words in MISTYPED.items()},
        "audiences": {name: str(words) for name, words in AUDIENCES.items()},
        "facts": {
            "schools": _("School"),
            "cycle": _("Cycle"),
            "audience": _("For"),
            "made": _("Made at"),
            "code": _("Record check code"),
            "key": _("Signed with the key"),
        },
        "erased": _(ERASED),
        "choose": _("Choose the pack first."),
        "checking": _("Checking …"),
        "old": _(
            "This browser cannot check the signatures of a pack (Ed25519). Take a newer one, or "
            "the command in how-to-check.txt."
        ),
    }


def _whole(tag: str, content: str, more: str = "") -> Markup:
    """An element of our own making, put in as it is."""
    return Markup(f"<{tag}{more}>{content}</{tag}>")  # noqa: S704


def _asset(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")


def _digest(name: str) -> str:
    return f"sha256-{base64.b64encode(sha256(_asset(name).encode()).digest()).decode()}"
