"""Reads that join tables or return plain values, by subject."""
