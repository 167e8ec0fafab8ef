"""The virtual basin: three invented countries, one river, and truth that only the demo knows.

Grown, then written as the field would send it:

* ``basin``: ``simulate(folder, seed)`` does all of it and returns a ``Basin``;
* ``names``: what everything is called (``data/invented.toml``), what pollutes the river;
* ``grid``, ``noise``, ``terrain``, ``countries``, ``stations``: where things are;
* ``simulate_land``, ``simulate_water``, ``simulate_wild``: what happens there;
* ``write_land``, ``write_water``, ``write_wild``, ``faults``, ``files``: how it is sent;
* ``truth``: what was planted, in the words of the indicators that look for it;
* ``data/``: names, species, standards, mappings, agreements and the plan.

No country, institute or agreement in it exists; species do.
"""

from ecotone.demo.basin import Basin, Delivery, simulate

__all__ = ["Basin", "Delivery", "simulate"]
