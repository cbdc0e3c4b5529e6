"""A start for shapes with holes and concavities: a radiance field of many views, and the surface that it holds."""
