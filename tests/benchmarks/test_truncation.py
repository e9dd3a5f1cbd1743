"""Files that were cut off."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from benchmarks.reload import good_yaml
from benchmarks.truncation import judge, spread_over


def test_no_beginning_of_a_file_would_serve(tmp_path: Path) -> None:
    """Each is refused or held, whichever byte it ends with."""
    path = tmp_path / "routes.yaml"
    path.write_text(good_yaml(0, 2, 1, 2))
    size = path.stat().st_size
    judged = judge(path, range(0, size, 3))
    assert judged.wrong == ()
    assert judged.refused + judged.held == len(range(0, size, 3))
    assert judged.refused > 0
    assert judged.held > 0


def test_a_beginning_that_would_serve_is_told(tmp_path: Path) -> None:
    """The whole file is no beginning: it would serve, and that is found."""
    path = tmp_path / "routes.yaml"
    path.write_text(good_yaml(0, 2, 1, 2))
    size = path.stat().st_size
    assert judge(path, [size]).wrong == (f"{size} bytes: would be served",)


@given(st.integers(1, 5_000), st.integers(1, 100))
def test_lengths_are_spread_over_the_file(size: int, count: int) -> None:
    """All are shorter than the file, none comes twice, and there are as many as can be."""
    lengths = spread_over(size, count)
    assert len(lengths) == min(size, count)
    assert len(set(lengths)) == len(lengths)
    assert all(0 <= length < size for length in lengths)
