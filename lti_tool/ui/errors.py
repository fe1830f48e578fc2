"""The words for every refusal, in one list.

A room raises ``ToolError("form-expired")``; ``app.py`` finds the status and the words here. To
add one, in the file of ``refusals/`` named for the room: a kebab-case code, what happened, why in
one sentence, and what the person can do now. Texts may hold ``%(name)s`` placeholders, filled from
the error's details; a literal per cent sign is therefore written twice.
"""

from typing import Final

from lti_tool.ui.refusals.connect import CONNECT
from lti_tool.ui.refusals.evidence import EVIDENCE
from lti_tool.ui.refusals.general import GENERAL
from lti_tool.ui.refusals.lti import LTI
from lti_tool.ui.refusals.people import PEOPLE
from lti_tool.ui.refusals.retention import RETENTION
from lti_tool.ui.refusals.teams import TEAMS
from lti_tool.ui.refusals.text import ErrorText
from lti_tool.ui.refusals.training import CYCLES, REMINDERS, REVIEW, TRAINING

ERRORS: Final[dict[str, ErrorText]] = {
    **GENERAL,
    **PEOPLE,
    **EVIDENCE,
    **TRAINING,
    **CYCLES,
    **LTI,
    **CONNECT,
    **REMINDERS,
    **REVIEW,
    **RETENTION,
    **TEAMS,
}
