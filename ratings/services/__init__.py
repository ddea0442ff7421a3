"""What changes the ratings domain: one function for each use case, each the owner of its transaction."""
