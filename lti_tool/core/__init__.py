"""The ground every room stands on: database, ledger, clock, errors, jobs. Knows no Flask.

Owns the tables ``ledger_entry``, ``ledger_head``, ``disclosure`` and ``drawer_item``.
Every room may enter.
"""
