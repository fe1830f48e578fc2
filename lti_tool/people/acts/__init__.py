"""Managers' own acts: who did what, of whom, and when; one row an act.

Owns ``act`` and ``act_concerns``, which are appended only. The roof writes them, by the marks that
views wear, so that no page can forget to.
"""
