"""Rosters: the courses whose members are a school's staff, linked by its managers and read on a
schedule and on demand (NRPS).

Owns ``roster`` and ``roster_entry``. What a list does to people is ``people.staff_lists``'s.
"""
