"""The command line as ``python -m exprimo``."""

from exprimo.cli.main import main

if __name__ == "__main__":
    main()
