"""What we ask of a platform once somebody has come from it: line items and scores (AGS)."""
