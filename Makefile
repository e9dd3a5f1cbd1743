# Needs only Python 3.11+ and make. Everything is installed into .venv, at the versions of requirements.lock.
PYTHON ?= python3
SECONDS ?=
SHARED ?= ../shared
JOBS ?= 2
VENV = .venv
BIN = $(VENV)/bin
READY = $(VENV)/.ready
OUT = benchmarks/out

.PHONY: help setup demo test check format edge bench bench-scale bench-reload bench-faults bench-soap bench-shadow bench-comparing bench-evidence bench-protect bench-admin faults simulation corpus differential screenshots lock vendor docker-steps clean

help:
	@echo "make demo [SECONDS=75]  the council: legacy, replacements, traffic, and the gateway between them"
	@echo "make test [JOBS=2]      all tests, so many modules at a time"
	@echo "make check              format, lint, types, layers, coverage of the core"
	@echo "make edge               275 hostile and awkward requests against a real gateway"
	@echo "make bench              what one proxied request costs beside nginx (needs nginx and wrk)"
	@echo "make bench-scale        memory, start-up, 10,000 routes, idle connections, 1 GB bodies"
	@echo "make bench-reload       100 good and 100 broken reloads under load"
	@echo "make bench-faults       SIGTERM and SIGKILL under load"
	@echo "make bench-soap         the SOAP codec beside zeep, and large messages through a gateway"
	@echo "make bench-shadow       what copies of all requests cost the clients, whatever the other side does"
	@echo "make bench-comparing    what comparing two answers costs, beside deepdiff"
	@echo "make bench-protect      bounds hold at the backend, an outage stays with its routes, and what protection costs"
	@echo "make bench-admin        the pages with 2,000 routes and a year behind them, and what open ones do to the traffic"
	@echo "make faults             writes while processes are killed and sides fail: nothing acknowledged is lost"
	@echo "make bench-evidence     ramps roll back in time, stores fail, processes are killed: nothing is lost or undone"
	@echo "make simulation         how often ramps go on and back, for sides that are so and so right"
	@echo "make corpus             load many public WSDLs (from ../shared/wsdl, where it is there)"
	@echo "make screenshots        pictures of all pages, with the demo running, into docs/pages (needs chromium)"
	@echo "make differential       code values of all their operations: there and back, by the schema, beside zeep"
	@echo "make vendor             front-end libraries into gateway/admin/static/vendor, as deploy/vendor pins them (needs npm)"

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Banyan needs Python 3.11 or newer; try make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(READY)

setup: $(READY)

demo: $(READY)
	$(BIN)/python -m gateway.demo $(if $(SECONDS),--seconds $(SECONDS))

test: $(READY)
	$(BIN)/python -m pytest --numprocesses $(JOBS) --dist loadfile

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest tests/core tests/connectors --cov=gateway.core --cov=connectors --cov-branch --cov-fail-under=100 --cov-report=term-missing:skip-covered

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

edge: $(READY)
	$(BIN)/python -m benchmarks.edge --probe $(SHARED)/edge/edge_probe.py --soap

bench: $(READY)
	$(BIN)/python -m benchmarks.hop

bench-scale: $(READY)
	$(BIN)/python -m benchmarks.scale

bench-reload: $(READY)
	$(BIN)/python -m benchmarks.reload

bench-faults: $(READY)
	$(BIN)/python -m benchmarks.faults

bench-soap: $(READY)
	$(BIN)/python -m benchmarks.soap
	$(BIN)/python -m benchmarks.soap_flow

bench-shadow: $(READY)
	$(BIN)/python -m benchmarks.shadow

bench-comparing: $(READY)
	$(BIN)/python -m benchmarks.comparing

bench-protect: $(READY)
	$(BIN)/python -m benchmarks.bounds
	$(BIN)/python -m benchmarks.outage
	$(BIN)/python -m benchmarks.addresses
	$(BIN)/python -m benchmarks.hop --rounds 15 --protected --peers ""

bench-admin: $(READY)
	$(BIN)/python -m benchmarks.admin

faults: $(READY)
	$(BIN)/python -m benchmarks.writes

bench-evidence: $(READY)
	$(BIN)/python -m benchmarks.rolling_back
	$(BIN)/python -m benchmarks.store_faults
	$(BIN)/python -m benchmarks.killing

simulation: $(READY)
	$(BIN)/python -m benchmarks.simulation

corpus: $(READY)
	$(BIN)/python -m benchmarks.corpus --corpus $(SHARED)/wsdl

differential: $(READY)
	$(BIN)/python -m benchmarks.differential --corpus $(SHARED)/wsdl

screenshots: $(READY)
	$(BIN)/python deploy/screenshots.py

lock: $(READY)
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --universal --python-version 3.11 --all-extras --generate-hashes --no-emit-index-url --no-header --upgrade -o requirements.lock pyproject.toml

vendor: $(READY)
	npm ci --prefix deploy/vendor --ignore-scripts --no-audit --no-fund --silent
	$(BIN)/python deploy/vendor/vendor.py

docker-steps: $(READY)
	sh deploy/docker-steps.sh

clean:
	rm -rf $(VENV) $(OUT) .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage
