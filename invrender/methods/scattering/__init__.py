"""A scattering medium from pictures of it under known light: extinction, and what else of it is asked for."""
