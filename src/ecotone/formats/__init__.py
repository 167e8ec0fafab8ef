"""Formats: bytes to tables of text, and back.

``base``      the contract each format keeps: Source, Format, Limits, findings
``safe``      the one place where a stranger's file, folder or archive is opened
``registry``  the formats installed, and which of them a delivery is

Formats, each a module with its ``FORMAT`` and its writing functions:

``dwca`` Darwin Core Archive · ``camtrapdp`` Camtrap DP · ``raster`` NetCDF and GeoTIFF stacks ·
``eml`` metadata · ``json`` records and GeoJSON · ``xlsx`` workbooks · ``csv`` bare tables

What they stand on: ``names``, ``archives``, ``streams`` (archives and folders), ``xml``,
``delimited`` over ``csv_text`` (encodings), ``csv_sniff`` (what divides fields), ``csv_scan``
(plain lines cut all at once) and ``csv_record`` (one record, with care), ``headers`` (names of
columns), ``cells`` (texts that a spreadsheet must not compute).
"""
