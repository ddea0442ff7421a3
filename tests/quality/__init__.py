"""The quality engine on real ratings of others and on generated ones: scenes, figures, and what must hold."""
