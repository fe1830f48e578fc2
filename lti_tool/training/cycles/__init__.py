"""Cycles: who owes which training by when, and why.

Owns ``calendar``, ``holiday``, ``policy_opening``, ``cycle``, ``obligation`` and
``due_date_move``. An obligation's row is what the facts come to, kept so that it can be counted;
``owing`` alone decides it.
"""
