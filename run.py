"""The command line, `python run.py COMMAND --config FILE`."""

from cli.main import main

if __name__ == "__main__":
    main()
