"""Foreign SOAP stacks, PHP's and node's: an invented library that both serve, and clients of both that call it."""
