"""The browser's side: pages, API and jobs on one server."""
