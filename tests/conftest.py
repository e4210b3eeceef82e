"""Profiles of the property tests: the same examples on every run, and no deadline, so that a slow machine fails nothing."""

import os

from hypothesis import HealthCheck, settings

_SLOW_MACHINES = [HealthCheck.too_slow]

settings.register_profile("default", derandomize=True, deadline=None, max_examples=25, suppress_health_check=_SLOW_MACHINES)
settings.register_profile("ci", derandomize=True, deadline=None, max_examples=200, suppress_health_check=_SLOW_MACHINES)
settings.load_profile("ci" if os.environ.get("CI") else "default")
