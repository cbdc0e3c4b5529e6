"""Kinds of samples in compositing: plain numbers in a file of their own, to be read without the compiler."""

TABLE, LIT, COLOUR = 0, 1, 2
