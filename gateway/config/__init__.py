"""routes.yaml: read strictly, checked whole, and left behind as frozen values of the core.

`check.load` is the way in; `edit` changes one word of the file, `live` tells when it changed.
"""
