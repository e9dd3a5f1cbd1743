"""`banyan openapi`: what the gateway serves, for front-end developers and their tools."""

from gateway.cli.options import CONFIG, Config


def openapi(config: Config = CONFIG) -> None:
    """Print the OpenAPI document of all routes.

    Shapes come from the WSDL where a route calls a SOAP operation. A running gateway has the same at /openapi.json of
    its admin port.
    """
    import os

    from gateway.admin.openapi import document
    from gateway.cli.output import say_json
    from gateway.config.check import load

    say_json(document(load(config, os.environ).estate))
