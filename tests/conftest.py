"""What holds for all tests."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# A busy machine is no fault: examples are judged by what they show, not by how long they took.
settings.register_profile("ecotone", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ecotone")
