"""How two persons come to be joined: by an offer to a manager, or by a code of the person's own.

Owns no table: ``join_code`` is of ``people``. What a join is stands in ``people/joins.py``.
"""
