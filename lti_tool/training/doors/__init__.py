"""One person, several doors: what was done through one is owed to the platforms behind the others.

Owns no table. Nobody enters: the worker comes by, and each training that is completed.
"""
