"""``clauseway doctor``: whether all that the tool needs is well. Owns no table, changes nothing."""
