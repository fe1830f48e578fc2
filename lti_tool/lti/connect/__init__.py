"""Connecting a platform: invitations, registration, and what to copy where it is done by hand.

Owns ``invitation``. Opened by whoever holds an invitation's address; made by managers and by the
command line.
"""
