"""The engine of a Ray cluster: `engine: ray`. Ray is an extra, and is imported when it is first needed."""
