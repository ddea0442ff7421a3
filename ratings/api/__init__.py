"""The API of ratings: one ApiView for each operation."""
