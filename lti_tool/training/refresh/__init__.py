"""Learning anew: what changed since somebody declared, and what differs at their other school.

Owns no table; a journey keeps what it is compared with. ``training`` and rooms above may enter.
"""
