"""The pure core: frozen values and decisions. No clock, chance, socket, log or database in here."""
