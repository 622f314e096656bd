"""``python -m tissuesim`` is the ``tissuesim`` command."""

from tissuesim.cli import main

if __name__ == "__main__":
    main()
