"""One run over several processes, its ranks: how they meet, what they send each other, what ends all if one dies."""
