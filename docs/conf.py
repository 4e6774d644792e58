"""How the documentation is built; nothing is fetched from a network."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

from nearer import __version__

project = "nearer"
author = "The nearer developers"
copyright = "The nearer developers"
release = version = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "reference"]
exclude_patterns = ["_build", "_ext", "README.md"]
nitpicky = False

myst_enable_extensions = ["colon_fence", "deflist", "attrs_inline", "attrs_block"]
myst_heading_anchors = 3

autodoc_typehints = "none"
autodoc_member_order = "bysource"
napoleon_google_docstring = False

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["nearer.css"]
html_title = f"nearer {__version__}"
html_copy_source = False
html_show_sourcelink = False
html_extra_path = [
    "plan.schema.json",
    "compare.schema.json",
    "curve.schema.json",
    "gaps.schema.json",
    "sensitivity.schema.json",
    "stress.schema.json",
]
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#B34E00", "color-brand-content": "#B34E00"},
    "dark_css_variables": {"color-brand-primary": "#FF8A3D", "color-brand-content": "#FF8A3D"},
}
