"""Running a probe of hostile requests."""

from pathlib import Path

import pytest

from benchmarks import edge

PROBE = """
import argparse, http.server, sys, threading, urllib.request
options = argparse.ArgumentParser()
for name in ("--proxy", "--origin-port", "--say"):
    options.add_argument(name)
given = options.parse_args()

class Origin(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
    def log_message(self, *_):
        pass

server = http.server.HTTPServer(("127.0.0.1", int(given.origin_port)), Origin)
threading.Thread(target=server.serve_forever, daemon=True).start()
answer = urllib.request.urlopen(f"http://{given.proxy}/edge/%2F/hello", timeout=5).read()
sys.exit(7 if answer == b"ok" and given.say == "hello" else 1)
"""


def test_the_probe_is_run_through_a_gateway_and_its_exit_code_is_kept(tmp_path: Path) -> None:
    """It finds its origin behind the proxy, raw paths included, and gets the options that are for it."""
    probe = tmp_path / "probe.py"
    probe.write_text(PROBE)
    assert edge.main(["--probe", str(probe), "--say", "hello"]) == 7


@pytest.mark.parametrize(("ci", "code"), [("", 0), ("true", 1)])
def test_a_missing_probe_fails_in_ci_only(
    ci: str, code: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever has no probe is told so; CI must have it."""
    monkeypatch.setenv("CI", ci)
    assert edge.main(["--probe", str(tmp_path / "none.py")]) == code
    assert "There is no probe" in capsys.readouterr().out
