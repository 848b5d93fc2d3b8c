"""What the other servers run; the servers' own tools import these modules."""
