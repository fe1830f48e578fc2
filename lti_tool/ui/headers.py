"""The security headers of every page, as a pure function of who may frame it.

Left out on purpose: ``Cross-Origin-Opener-Policy``, because a page that sets it is refused
outright in a window opened from a sandboxed frame (HTML, "opener policy" and sandboxing flags),
which is how some learning platforms open a tool.
"""

from collections.abc import Sequence
from functools import lru_cache

# What a training page never needs; a tool in a frame has none of it unless the platform allows it,
# and this keeps it so in a window of its own.
UNUSED_FEATURES = (
    "accelerometer",
    "autoplay",
    "camera",
    "display-capture",
    "fullscreen",
    "geolocation",
    "gyroscope",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "usb",
)


def content_security_policy(frame_ancestors: Sequence[str], form_action: Sequence[str] = ()) -> str:
    """The policy's text. ``frame_ancestors`` and ``form_action`` hold origins or ``*``.

    No ancestor means that nobody may frame the page.
    """
    directives = {
        "default-src": ("'none'",),
        "script-src": ("'self'",),
        "style-src": ("'self'",),
        "img-src": ("'self'",),
        "font-src": ("'none'",),
        "connect-src": ("'self'",),
        "base-uri": ("'none'",),
        "form-action": ("'self'", *form_action),
        "frame-ancestors": tuple(frame_ancestors) or ("'none'",),
    }
    return "; ".join(f"{name} {' '.join(sources)}" for name, sources in directives.items())


@lru_cache(maxsize=1024)
def security_headers(
    *, frame_ancestors: tuple[str, ...], form_action: tuple[str, ...] = (), is_https: bool = False
) -> tuple[tuple[str, str], ...]:
    """Header names and values for one page.

    ``Referrer-Policy`` is ``same-origin`` and not ``no-referrer``, with which Chromium sends
    ``Origin: null`` with our own forms. No page may be stored: each may hold personal data.
    Where we are reached by https, browsers are told to come by nothing else for a year. That is
    said of our own host alone: others under the same name are not ours.
    """
    headers = {
        "Content-Security-Policy": content_security_policy(frame_ancestors, form_action),
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        "Permissions-Policy": ", ".join(f"{feature}=()" for feature in UNUSED_FEATURES),
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-store",
    }
    if is_https:
        headers["Strict-Transport-Security"] = "max-age=31536000"
    return tuple(headers.items())
