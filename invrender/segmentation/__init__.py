"""Masks for photographs that come without them."""
