from gateway.config.problems import Problem
from gateway.core.model import Place


def test_a_problem_reads_as_compilers_write_it() -> None:
    """Editors and terminals turn file:line:column into a link; without a place only the sentence is left."""
    assert str(Problem(Place("routes.yaml", 3, 7), "no such word")) == "routes.yaml:3:7: no such word"
    assert str(Problem(None, "routes.yaml cannot be read")) == "routes.yaml cannot be read"
