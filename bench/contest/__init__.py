"""What `bench/rivals.py` is made of: the sets, the rivals, and what they reached."""
