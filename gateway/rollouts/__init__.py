"""Moving traffic by evidence, and telling of it. Lives in the control process."""
