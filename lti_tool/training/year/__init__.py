"""The managers' pages on the school's year: its dates and holidays, and opening a cycle.

Owns no table; ``cycles`` owns them, and decides. For managers, and for the command line.
"""
