"""Small valid files of every kind that the program reads, made from bytes, text, numpy and Pillow, not by its writers."""
