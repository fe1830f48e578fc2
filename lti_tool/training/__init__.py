"""What people did: journeys, rounds, answers, declarations, completions.

Owns ``journey``, ``section_read``, ``round``, ``question``, ``declaration``, ``completion``.
``evidence`` may read them.
"""
