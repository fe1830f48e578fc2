"""Hypothesis without a stop-watch, which a busy machine would trip."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "clauseway", max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("clauseway")
