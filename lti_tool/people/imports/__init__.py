"""A school's own list of its staff, from a CSV file: read, shown, applied, undone.

Owns ``staff_import`` and ``staff_import_change``. Pages stand in ``training/staff``.
"""
