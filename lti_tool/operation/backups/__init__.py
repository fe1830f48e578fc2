"""Backups: the whole installation in one file, and back again. Owns no table.

The file is a zip: ``database/`` as the database gave it in one moment, ``instance/`` with keys and
what else belongs to the installation, and ``backup.json``, which says what is in it, with the
SHA-256 of each. Whoever has the file has everything: records, names, and the keys that we sign
with.
"""
