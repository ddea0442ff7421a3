"""The downloads page, and the files of releases over HTTP."""
