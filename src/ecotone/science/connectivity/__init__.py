"""Connectivity: circuits over rasters and networks, patches, protected land, least cost.

``graph`` (rasters and lists as graphs), ``solver`` (direct and iterative, with true residuals),
``circuits`` (one graph, many cases), ``landscape`` (the four modes over rasters), ``currents``.
"""
