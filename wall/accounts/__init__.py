"""Who may see the figures: people who sign in, and televisions that were paired with a screen."""
