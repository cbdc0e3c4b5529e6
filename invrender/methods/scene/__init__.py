"""Lights, cameras and materials of a scene, recovered from pictures of it, with how certain they are."""
