"""What a stranger checks a pack with: the standard library and ``cryptography``, nothing else.

No Flask, no database, no setting, no clock. ``python -m lti_tool.evidence.proof pack.zip`` works
wherever these files are. Owns no table.
"""
