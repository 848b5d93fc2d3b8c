"""The command line: a file per group of commands, each of which calls one function of `app/commands`."""
