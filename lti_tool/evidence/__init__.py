"""What we can prove: registers, records, exports, verification.

It reads what ``training`` wrote and changes none of it.

Owns no table yet. Only the roof stands above.
"""
