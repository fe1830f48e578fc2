"""Alembic's entry: runs the migrations on the connection that ``run.upgrade`` opened."""

from alembic import context

from lti_tool.core import drawers as _drawers
from lti_tool.core import erasure as _erasure
from lti_tool.core import ledger as _ledger
from lti_tool.core.database import Table
from lti_tool.curriculum import models as _curriculum
from lti_tool.evidence.checkpoints import models as _checkpoints
from lti_tool.evidence.packs import models as _packs
from lti_tool.evidence.retention import models as _retention
from lti_tool.evidence.review import models as _review
from lti_tool.lti import models as _lti
from lti_tool.lti.connect import models as _connect
from lti_tool.lti.rosters import models as _rosters
from lti_tool.operation import models as _operation
from lti_tool.people import models as _people
from lti_tool.people.acts import models as _acts
from lti_tool.people.imports import models as _imports
from lti_tool.training import models as _training
from lti_tool.training.cycles import models as _cycles
from lti_tool.training.reminders import models as _reminders

# Each brings its tables.
ROOMS = (
    _erasure,
    _ledger,
    _drawers,
    _curriculum,
    _lti,
    _connect,
    _rosters,
    _people,
    _acts,
    _imports,
    _training,
    _cycles,
    _reminders,
    _checkpoints,
    _packs,
    _retention,
    _review,
    _operation,
)

context.configure(
    connection=context.config.attributes["connection"], target_metadata=Table.metadata
)
with context.begin_transaction():
    context.run_migrations()
