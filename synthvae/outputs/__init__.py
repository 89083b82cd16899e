"""Where rows go: one file, a folder of parts, a pipe or a database."""
