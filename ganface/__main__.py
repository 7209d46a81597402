"""`python -m ganface`."""

from ganface.cli import main

if __name__ == "__main__":
    main()
