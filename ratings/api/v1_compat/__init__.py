"""What only clients of the old service need."""
