"""The operators' pages: what the admin port shows a browser, rendered here, so that they work without JavaScript."""
