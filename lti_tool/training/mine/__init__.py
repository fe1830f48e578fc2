"""One's own training: what is owed, by when and why, and what was done before.

Owns no table. For the person themselves; a manager's view of others is in ``evidence``.
"""
