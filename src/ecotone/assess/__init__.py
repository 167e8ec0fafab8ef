"""Indicators and the runner: science + the data it needs + parameters + words.

``indicator``   what an indicator declares and what it gives back
``registry``    which indicators there are (entry points ``ecotone.indicators``)
``compute``     one indicator on plain files, written as ``result.json``
``plan``        many indicators over regions and periods, as TOML
``gather``      a plan's inputs from files or through the door
``run``         carries a plan out into a run folder
``executor``    threads or a Dask cluster, the same numbers
``provenance``  RO-Crate 1.2 of a run
``verify``      carries a run out again and compares it number by number
"""
