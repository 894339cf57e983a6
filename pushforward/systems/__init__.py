"""Floor 2: one file = one paper. The folder is the list: a new file here is found by the command line, the report and the common checks."""
