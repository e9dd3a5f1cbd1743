"""`banyan schema`: what editors need to know about routes.yaml."""


def schema() -> None:
    """Print the file's JSON Schema, for editors.

    An editor with a YAML language server uses it when the file begins with:
    # yaml-language-server: $schema=routes.schema.json
    """
    from gateway.cli.output import say_json
    from gateway.config.schema import json_schema

    say_json(json_schema())
