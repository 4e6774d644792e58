"""A plan in; one self-contained HTML file, a GeoPackage and tables out."""
