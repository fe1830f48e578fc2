"""What a manager enters of one person: role group, dates, payroll number, days away.

Owns no table: ``membership`` and ``absence`` are of ``people``. Each change is recorded.
"""
