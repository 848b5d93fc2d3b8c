"""HTTP plumbing: requests and responses, tokens and rate limits, metrics, the OpenAPI document."""
