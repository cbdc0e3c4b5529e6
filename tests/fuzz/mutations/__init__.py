"""What can happen to a file: to its bytes, its text or its JSON, and behind its compression and checksums."""
