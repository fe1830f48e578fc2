"""Declarations on paper: entered by a manager, marked as such, taken back but never deleted.

Owns no table of its own: a declaration on paper is a ``declaration`` with a ``completion``.
"""
