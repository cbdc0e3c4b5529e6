"""Scenes of objects on a stage: made up, voxelised and drawn, for networks to learn from."""
