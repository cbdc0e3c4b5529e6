"""Radiographs as scanners record them: from counts to transmittances, and where source and detector really stood."""
