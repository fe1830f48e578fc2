"""Review of the policy: what first answers tell of its clauses, and what is decided on each point.
Owns ``review_decision``. Managers may enter; no point names a person.
"""
