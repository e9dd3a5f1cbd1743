"""How two answers are compared: documents, rules, differences, noise, and what may be kept of them."""
