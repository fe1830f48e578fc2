"""Managers' pages of a school's people: list, one person, staff files, joins, managers.

Owns no table. What they do is done by ``people``; here it is settled who owes what by it.
"""
