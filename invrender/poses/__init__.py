"""Cameras of photographs that come without them: structure from motion, and pictures from videos."""
