"""What Noria costs: measured, not guessed."""
