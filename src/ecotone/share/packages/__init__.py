"""Packages between nodes: signed, sealed, in order; by folder, by stick, over HTTP.

``manifest``   what a package says of itself, in bytes that are hashed and signed
``rows``       what the door released as typed tables, a hash for each row, the state of both ends
``files``      the package's files: Parquet, CSV, datapackage.json, README in three languages
``rasters``    released coverages and their STAC items
``pictures``   photographs, as the agreement lets them
``further``    Darwin Core and Camtrap DP inside, where the receiver wants them
``container``  one sealed file out of a folder
``sent``       what a party was sent: outbox, index, changes and tombstones
``export``     make the next package for a party
``reading``    open a package and believe nothing of it before it is checked
``importing``  take a package in: all of it or nothing
``serve``      offer packages over HTTP;  ``fetch``: get them, resuming
"""
