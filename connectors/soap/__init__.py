"""SOAP: WSDLs compiled to plans, a codec that goes by them, callers and a facade."""
