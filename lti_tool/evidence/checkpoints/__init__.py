"""Checkpoints: a signed root over everything a school's ledger held at a moment.

Owns ``checkpoint`` and ``ledger_tile``, both appended and never changed. The worker makes one a
day, every pack has one made; nobody enters by a page.
"""
