"""Small valid files of every kind that is read, made from bytes, text, numpy and Pillow, not by our own writers."""
