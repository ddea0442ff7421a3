"""Leases: this rater was shown this image at this time. A signed token, and a book of the live ones."""
