"""Where the built style sheet and scripts are, and how they are served.

``tools/build_assets.py`` lays them, with a digest in each name, into ``static/`` beside this file.
"""

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from wsgiref.headers import Headers

from whitenoise import WhiteNoise

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

STATIC = Path(__file__).with_name("static")
PREFIX = "static/"


class AssetsMissingError(RuntimeError):
    """The browser assets were not built; the message says what to do."""


@cache
def manifest() -> dict[str, str]:
    """Plain file name -> built file name. Raises ``AssetsMissingError``."""
    try:
        files: dict[str, str] = json.loads((STATIC / "manifest.json").read_text())["files"]
    except (OSError, ValueError, KeyError) as fault:
        raise AssetsMissingError("The browser assets are not built. Run make assets.") from fault
    return files


def asset_url(name: str) -> str:
    """The address of a built file by its plain name, such as ``clauseway.css``."""
    return f"/{PREFIX}{manifest()[name]}"


def asset_bytes(name: str) -> bytes:
    """A built file's content by its plain name."""
    return (STATIC / manifest()[name]).read_bytes()


def wrap(application: "WSGIApplication") -> WhiteNoise:
    """Serve the built files before ``application`` is asked; every name is good for ever.

    Raises ``AssetsMissingError`` at once, so that a server without assets does not start.
    """
    built = set(manifest().values())
    return WhiteNoise(
        application,
        root=STATIC,
        prefix=PREFIX,
        allow_all_origins=False,
        add_headers_function=_harden,
        immutable_file_test=lambda path, url: url.rsplit("/", 1)[-1] in built,
    )


def _harden(headers: Headers, path: str, url: str) -> None:
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
