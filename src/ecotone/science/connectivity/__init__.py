"""Connectivity: circuits over rasters and networks, patches, protected land, least cost.

* ``graph``: rasters and lists as graphs; ``solver``: direct and iterative, true residuals;
* ``circuits``: one graph and many cases of it (superposition); ``currents``: node, branch and
  summed currents; ``landscape``: the four modes over rasters;
  ``regions``: focal regions on one factor; ``updates``: what a few changed links change;
* ``window``: the moving window; ``leastcost``: cost distance, paths, barriers;
  ``corridors``: pairs of cores, pruned, and divided among countries; ``kernels``: resistant
  kernels and factorial paths;
* ``patches``, ``sparse_pc``: PC, IIC; ``removal``: what each patch and link contributes at any
  size, betweenness; ``links``: the same of a matrix; ``protected``: ProtConn;
* ``resistance``: from classes, suitability and step selection, each with its uncertainty;
  ``ensemble``: ranks and maps over draws compared.
"""
