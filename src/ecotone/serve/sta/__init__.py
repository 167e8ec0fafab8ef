"""The OGC SensorThings API 1.1 over the door: routes, grammar, JSON.

``routes``       requests by method, who asks, errors
``paths``        resource paths;  ``options`` query options;  ``expressions`` filters
``reads``        what a GET is answered with;  ``render`` entities as JSON
``changes``      POST, PATCH, PUT, DELETE;  ``patch`` JSON Patch
``arrays``       observations as arrays and as Parquet
``batch``        several requests in one
``conformance``  what the service says of itself
"""

from __future__ import annotations

__all__: list[str] = []
