"""
The desk over HTTP: one address for each command, one for each question, one shape for whatever goes wrong.

``app.desk_api`` makes the application; whoever serves more than the desk mounts it.
"""
