"""What only clients of the ratings service of 2023 need."""
