"""What photographs say of points on surfaces: colours seen, their agreement, textures."""
