"""What surfaces and densities look like under a light."""
