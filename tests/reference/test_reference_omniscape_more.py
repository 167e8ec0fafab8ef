"""A corner of Omniscape's own case 3: sources from resistances, blocks, no-data among habitat.

Its numbers are quoted (Circuitscape/Omniscape.jl, test/, MIT licence): no cell of the corner's
first two rows and columns is reached by a window that leaves these ten.
"""

from __future__ import annotations

import numpy as np
from tests.reference.test_reference_connectivity import compute, whole

_GRID = """ncols 10
nrows 10
xllcorner 0
yllcorner 0
cellsize 1
nodata_value -99
0.29243631 0.13838143 0.44092602 -99 0.57673471 0.86846432 -99 0.95071638 0.20557872 0.61659864
0.82448533 0.53485077 0.72007584 -99 0.02316583 0.53041344 -99 0.5637777 0.29058409 0.63922618
0.56454184 0.24004394 0.62733839 -99 0.30475178 0.38369348 -99 0.93997684 0.96920188 0.8462712
0.92026125 0.29350115 0.10741289 -99 0.32106044 0.29057139 -99 0.47421791 0.13828978 0.96734372
0.52207313 0.29182946 0.69862504 -99 0.25577302 0.73496504 -99 0.0280091 0.69943375 0.85825987
0.1897196 0.13145886 0.13663806 -99 0.24834306 0.83794194 -99 0.89302506 0.46937491 0.94992077
0.38341819 0.86105501 0.56094702 -99 0.78063036 0.3100558 -99 0.98831515 0.26578836 0.6993172
0.73031559 0.89405319 0.51165089 -99 0.36670996 0.09891417 -99 0.69885854 0.75748862 0.38158104
0.30434608 0.06335479 0.09886867 -99 0.65284009 0.2929845 0.96664701 0.50787216 0.16445356 0.8119677
-99 -99 -99 -99 0.60591141 0.02174682 0.62651818 0.93491534 0.25986374 0.60993652
"""
_CURRENT = [[0.7790442731466, 3.6882504247884], [1.6242054736165, 2.0389184859655]]
_POTENTIAL = [[1.5784706244645, 7.2506755091347], [3.5952440931833, 6.0820993828126]]


def test_a_corner_of_a_further_case_of_omniscape(tmp_path) -> None:
    (tmp_path / "resistance.asc").write_text(_GRID)
    (tmp_path / "case.ini").write_text(
        "resistance_file = resistance.asc\nblock_size = 3\nradius = 5\nbuffer = 0\n"
        "project_name = test3\ncalc_flow_potential = true\nsource_from_resistance = true\n"
        "r_cutoff = 0.25\nmask_nodata = true\nwrite_as_tif = false\n"
    )
    compute("connectivity.moving-window", {"config": tmp_path / "case.ini"}, tmp_path / "out")
    for name, known in (("cum_currmap", _CURRENT), ("flow_potential", _POTENTIAL)):
        found = whole(tmp_path / f"out/{name}.asc")[:2, :2]
        np.testing.assert_allclose(found, known, rtol=1e-6, err_msg=name)
