"""The heavy work on a Ray cluster: `engine: ray`. Ray is imported when it is first needed; it is an extra."""
