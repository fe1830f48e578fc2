"""Who is who: people, their identities, memberships, grants and visits.

Owns ``person``, ``identity``, ``membership``, ``manager_grant``, ``manager_code``, ``visit``.
Every room above may enter; a door (``lti``, ``teams``) brings an ``Arrival``.
"""
