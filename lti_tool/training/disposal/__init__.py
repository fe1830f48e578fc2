"""Rows of this floor that go when a school's retention period has run out.

Owns no table. ``evidence/retention`` says what is due, and records that it went.
"""
