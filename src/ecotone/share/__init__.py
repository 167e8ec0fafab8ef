"""The door: agreement -> decision -> released records.

``agreements``  reading, writing and stating agreements
``decide``      the decision table: (reader, dataset, class) -> level, made once, then joined
``grid``        the one grid all parties generalise to
``generalise``  what each level does to the columns of a record
``door``        the only way out: every release goes through it and leaves a line in the ledger
``packages``    signed and sealed files between nodes;  ``arrived``: what came in them
"""
