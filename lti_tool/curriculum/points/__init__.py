"""Points to check in a school's policy, for whoever owns it. Owns no table."""
