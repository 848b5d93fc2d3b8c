"""What steps of several pipelines share: cache keys, failure alerts, tracking, the champion."""
