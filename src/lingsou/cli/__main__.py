"""`python -m lingsou.cli`."""

from lingsou.cli import main

if __name__ == "__main__":
    main()
