"""Metrics and facts: what a mesh or a volume is, and how far it is from a reference."""
