"""Triangle-mesh surgery in plain numpy: connectivity, remeshing, self-intersections and their repair."""
