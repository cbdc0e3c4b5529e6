"""What the samples of a composite stand for: plain numbers, so that reading them imports no compiler."""

TABLE, LIT, COLOUR = 0, 1, 2
