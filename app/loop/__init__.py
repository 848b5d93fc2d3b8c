"""The loop on the real service: looks, actions, messages."""
