"""What an observation is: nouns, vocabularies, units, place, time. Imports nothing of ours.

* ``records``, ``agreement``, ``result``: the nouns as frozen classes;
  ``dictionary`` and ``dictionaries/*.csv``: their attributes for tables, checks, the door and the
  docs; ``bounds``: which numbers an attribute can hold;
* ``place``: coordinates as written, plausibility, uncertainty; ``datum``, ``datum_names``,
  ``gcj02``, ``countries``: the way to WGS 84;
* ``time``: columns of times to UTC; ``time_fixed`` and ``time_text`` read them (fast, careful),
  ``time_zone`` knows what the clock of a zone showed;
* ``units`` and ``substances``: names of units, bases, conversions;
* ``identifiers``: minted offline; ``keys``: what a record is recognised by;
* ``texts``: columns of texts, fast; ``table``: the block that formats yield;
* ``finding``, ``errors``, ``words`` and ``words/*.toml``: what is said, in three languages.
"""
