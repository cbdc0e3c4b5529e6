"""Looking at meshes and runs with pyvista, in a child process that a bad graphics driver may crash."""
