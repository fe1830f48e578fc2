"""What we teach and ask: training modules and scenarios, resolved for one school.

Owns the table ``content``: every policy version and scenario that a record names, kept by hash.
Keeps in ``instance/kept/`` each school's files as they were last good.
Every room above may enter.
"""
