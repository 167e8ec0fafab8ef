"""Checks in the words of TDWG BDQ, one file per family.

``base``         the contract: Check, Response, the four kinds of test
``block``        columns as checks see them, each distinct value looked at once
``registry``     ``all_checks()``, ``findings(table)``, ``record_findings(...)``
``coordinates``  coordinates, uncertainty, datum
``countries``    country codes and names, whether there is a place at all
``heights``      elevation and depth
``time``         event dates and dates of identification; ``time_amend`` what may be filled in
``taxon``        names, their parts, ranks
``occurrence``   presence, sex, establishment, pathway, type status
``record``       basis of record, type of resource, generalisations, annotations
``identifiers``  identifiers
``licence``      licences
``water``        results from water
``camera``       camera-trap records against their deployments
``vocabulary``   controlled vocabularies (``vocabularies/*.csv``)
``isodates``     ISO 8601, strictly; ``written_dates`` what people write instead
"""
