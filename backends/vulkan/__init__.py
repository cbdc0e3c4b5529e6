"""The vulkan backend (`backend.py`). Nothing is imported here: whether there is hardware (`probe.py`) is soon asked."""
