"""The documentation site; it builds without a network."""

from ecotone import __version__

project = "Ecotone"
author = "Ecotone founders"
release = __version__
extensions = ["myst_parser"]
exclude_patterns = ["_build"]
myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3
html_theme = "alabaster"
html_theme_options = {
    "description": "From the field's own files, across a border as agreed, to a defended report.",
    "fixed_sidebar": True,
    "page_width": "64rem",
}
html_show_sourcelink = False
html_show_copyright = False
