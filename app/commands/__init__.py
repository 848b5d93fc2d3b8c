"""What each command does, one file each; every one returns a `CommandResult`."""
