#!/bin/sh
# The steps of the Dockerfile without a container engine, in a folder of their own, and then its health check: does what
# would be in the image start, get ready, and stop? The build of the image itself is untried. Keep the two alike.
set -eu
cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-python3}
PIP="-m pip --quiet --disable-pip-version-check"
work=$(mktemp -d)
gateway=
clean() {
  if [ -n "$gateway" ]; then
    kill "$gateway" 2>/dev/null || true
    wait "$gateway" || true
  fi
  rm -rf "$work"
}
trap clean EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

echo "1. what it needs to run, at the versions and hashes of the lock"
"$PYTHON" deploy/runtime_lock.py > "$work/runtime.lock"
"$PYTHON" deploy/runtime_lock.py hatchling > "$work/build.lock"
"$PYTHON" -m venv "$work/banyan"
"$PYTHON" -m venv "$work/build"
"$work/banyan/bin/python" $PIP install --no-deps --require-hashes -r "$work/runtime.lock"
"$work/build/bin/python" $PIP install --no-deps --require-hashes -r "$work/build.lock"

echo "2. the wheel, built and installed"
mkdir "$work/src"
cp -R pyproject.toml README.md LICENSE gateway connectors "$work/src/"
"$work/build/bin/python" $PIP wheel --no-deps --no-build-isolation --wheel-dir "$work/wheels" "$work/src"
"$work/banyan/bin/python" $PIP install --no-deps "$work"/wheels/*.whl
"$work/banyan/bin/banyan" --version

echo "3. started with the demo's routes.yaml, asked for its health, and stopped"
mkdir -m 700 "$work/data"
cp routes.yaml "$work/routes.yaml"
ports=$("$PYTHON" -c '
import socket
probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
print(*(probe.getsockname()[1] for probe in probes))')
listen=${ports% *} admin=${ports#* }
cd "$work"
BANYAN_CONFIG="$work/routes.yaml" BANYAN_DATA="$work/data" \
  BANYAN_LISTEN="127.0.0.1:$listen" BANYAN_ADMIN="127.0.0.1:$admin" \
  "$work/banyan/bin/banyan" run > "$work/log" 2>&1 &
gateway=$!
"$work/banyan/bin/python" - "$admin" <<'READY' || { cat "$work/log"; exit 1; }
import sys
from time import monotonic, sleep
from urllib.request import urlopen

deadline = monotonic() + 20
while True:
    try:
        print("   /readyz:", urlopen(f"http://127.0.0.1:{sys.argv[1]}/readyz", timeout=2).status)
        break
    except OSError as error:
        if monotonic() > deadline:
            sys.exit(f"   it does not get ready: {error}")
        sleep(0.1)
READY
kill -TERM "$gateway"
stopped=0
wait "$gateway" || stopped=$?
gateway=
if [ "$stopped" -ne 0 ]; then
  cat "$work/log"
  echo "it ended with exit code $stopped"
  exit 1
fi
echo "All steps went well. The build of the image itself is untried."
