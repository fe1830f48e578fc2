"""Versions of a school's policy: compared, weighed, and brought into use by a manager.

Owns no table: an opening is a row of ``policy_opening``, which ``cycles`` owns. Managers enter.
"""
