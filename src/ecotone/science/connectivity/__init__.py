"""Connectivity: circuits over rasters and networks, patches, protected land, least cost.

* ``graph``: rasters and lists as graphs; ``solver``: direct and iterative, true residuals;
* ``circuits``: one graph and many cases of it (superposition); ``currents``: node, branch and
  summed currents; ``landscape``: the four modes over rasters;
  ``regions``: focal regions on one factor;
* ``window``: the moving window; ``leastcost``: paths, corridors, barriers, kernels;
* ``patches``, ``sparse_pc``: PC, IIC and what each patch contributes; ``protected``: ProtConn;
* ``ensemble``: resistances drawn anew and ranks compared.
"""
