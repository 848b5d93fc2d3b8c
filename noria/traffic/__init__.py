"""Several models at once: who answers which case, how a challenger grows, and how all of that is changed."""
