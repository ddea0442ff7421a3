"""Everything that puts bytes into the files of a release."""
