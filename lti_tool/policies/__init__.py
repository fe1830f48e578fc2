"""What a school's policy says: schools, policy versions, clauses, rules, and how they resolve.

Owns no table: policies are files, read once. Every room above may enter.
"""
