"""Folders of posed images: transforms.json, COLMAP models, masks, transmittance."""
