"""`make simulate`: honest raters and scripts over HTTP against the whole service, and what became of each."""
