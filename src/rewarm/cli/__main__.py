"""``python -m rewarm.cli``: the command line without its script."""

from rewarm.cli import main

if __name__ == "__main__":
    main()
