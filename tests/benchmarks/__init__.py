"""Ratios from one run on one machine: our code against what the services beneath it can do at most."""
