"""A person's whole record at one school, for a subject access request.

Owns no table; reads all there are.
"""
