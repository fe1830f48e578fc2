"""Alembic migrations, with one head. Outside the floors: they know tables, not rooms."""
