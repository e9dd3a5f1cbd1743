"""Who may come in to the admin room, and the audit of what they do there."""
