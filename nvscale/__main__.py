"""`python -m nvscale` is the command line."""

from nvscale.cli import main

if __name__ == "__main__":
    main()
