"""How long each kind of data is kept: set by the school, carried out by the worker, held back for
a person where there is reason to.

Owns ``retention_period`` and ``retention_hold``. What goes is deleted by the rooms that own the
tables (``people/disposal``, ``training/disposal``, ``lti/disposing``); here it is scheduled and
recorded.
"""
