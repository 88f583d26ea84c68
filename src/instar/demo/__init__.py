"""Two small sets made on the spot, with known faults, so that instar can be tried without a network."""
