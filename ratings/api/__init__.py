"""The API of ratings: one APIView for each operation."""
