"""The least that a method is: the mean of the numbers in a text file, by noisy descent."""
