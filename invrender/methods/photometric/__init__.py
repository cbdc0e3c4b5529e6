"""Reconstruction of shape, colour and light from photographs."""
