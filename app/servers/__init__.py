"""Servers beside the service: ZenML, the dashboards, and the platform of Docker Compose."""
