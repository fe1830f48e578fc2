"""The words of certificates."""

from typing import Final

from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString

from lti_tool.evidence.certificates.validity import EXPIRED, SUPERSEDED, VALID, WITHDRAWN

STATES: Final[dict[str, tuple[LazyString, LazyString]]] = {
    VALID: (_("Valid"), _("This certificate was issued by the school, and it holds.")),
    EXPIRED: (_("Expired"), _("This certificate was issued by the school. Its time is over.")),
    SUPERSEDED: (
        _("Superseded"),
        _("This certificate was issued by the school. A later training has taken its place."),
    ),
    WITHDRAWN: (
        _("Withdrawn"),
        _("This certificate was issued by the school, which has taken it back."),
    ),
}
"""Each state, and what it says to whoever looks a number up."""
