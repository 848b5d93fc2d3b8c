"""The evaluation report for the client: page, narrative, plots and tables."""
