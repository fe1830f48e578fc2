"""How the tool is run: whether it is well, what it counts, its backups.

Owns the table ``worker_beat``. Whoever runs the machine may enter, and what watches it.
"""
