"""From a table to a bundle: the leaderboard, tuning, and the selection of a candidate."""
