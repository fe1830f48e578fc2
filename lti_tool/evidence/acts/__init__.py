"""The access log as it is read: by the school's managers, and by the person it concerns.

Owns no table: ``people/acts`` does.
"""
