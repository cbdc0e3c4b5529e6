"""A closed mesh from silhouettes."""
