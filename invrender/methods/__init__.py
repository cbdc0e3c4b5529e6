"""What can be reconstructed from what: one folder per method."""
