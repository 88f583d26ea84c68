"""`python -m instar`, also under `accelerate launch -m instar`."""

from instar.cli import main

if __name__ == "__main__":
    main()
