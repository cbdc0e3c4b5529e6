"""Files in and out: meshes, images and datasets of posed views."""
