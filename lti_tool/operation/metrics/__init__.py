"""``/metrics``: counts and figures for Prometheus. Owns no table."""
