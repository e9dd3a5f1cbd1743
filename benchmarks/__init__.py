"""What the gateway costs and withstands, measured on this machine; README.md says how to repeat it."""
