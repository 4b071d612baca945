"""``python -m dbops``."""

from dbops.cli.main import main

if __name__ == "__main__":
    main()
