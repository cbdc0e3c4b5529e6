"""A run and its record: settings, run folder, progress. Knows neither backends nor the command line."""
