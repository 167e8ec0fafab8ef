"""Pure functions of the field sciences: arrays and tables in, arrays and tables out.

Nothing here reads a file, a clock or a setting, or knows of the rest of Ecotone; each
function can be read, tested and cited alone. One folder per field:

* ``land``: trends of vegetation and other gridded yearly series;
* ``water``: results of a laboratory against standards;
* ``wildlife``: density and identity of animals, occupancy, encounters, activity;
* ``stats``: what several fields share (Kendall's S, shares, false discoveries).
"""
