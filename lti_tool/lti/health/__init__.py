"""The health of a connection: what can be wrong with a platform, looked at when somebody asks.

Owns no table and keeps nothing. Opened by managers, by a platform's administrators for their own
platform, and by the command line.
"""
