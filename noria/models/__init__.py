"""Rules and models: preparing, fitting, tuning and choosing them."""
