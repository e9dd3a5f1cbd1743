# Banyan as an image. Its build is untried: the project is developed where no container engine runs. deploy/docker-steps.sh
# carries out the same steps without one; keep the two alike.
#
#   docker build -t banyan .
#   docker run -v ./routes:/etc/banyan:ro -v banyan:/var/lib/banyan -p 8080:8080 -p 127.0.0.1:8081:8081 banyan
#   docker stop --time 40 ...          (more than drain_timeout, so that requests under way can finish)
#
# Mount the folder that holds routes.yaml, not the file: a file that is replaced would not be noticed.

FROM python:3.11-slim AS build
WORKDIR /src
COPY pyproject.toml requirements.lock README.md LICENSE ./
COPY deploy/runtime_lock.py deploy/
# What it needs to run, and nothing of tests and linters, at the versions and hashes of the lock.
RUN python deploy/runtime_lock.py > runtime.lock \
 && python deploy/runtime_lock.py hatchling > build.lock \
 && python -m venv /opt/banyan \
 && /opt/banyan/bin/python -m pip install --no-cache-dir --no-deps --require-hashes -r runtime.lock \
 && python -m pip install --no-cache-dir --no-deps --require-hashes -r build.lock
COPY gateway gateway
COPY connectors connectors
RUN python -m pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /wheels . \
 && /opt/banyan/bin/python -m pip install --no-cache-dir --no-deps /wheels/*.whl \
 && /opt/banyan/bin/banyan --version

FROM python:3.11-slim
RUN groupadd --gid 10001 banyan \
 && useradd --uid 10001 --gid banyan --no-create-home --home-dir /var/lib/banyan --shell /usr/sbin/nologin banyan \
 && install --directory --owner banyan --group banyan --mode 0700 /var/lib/banyan
COPY --from=build /opt/banyan /opt/banyan
ENV PATH=/opt/banyan/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    BANYAN_CONFIG=/etc/banyan/routes.yaml \
    BANYAN_DATA=/var/lib/banyan \
    BANYAN_LISTEN=0.0.0.0:8080 \
    BANYAN_ADMIN=0.0.0.0:8081
USER 10001:10001
WORKDIR /var/lib/banyan
VOLUME /var/lib/banyan
EXPOSE 8080 8081
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8081/readyz', timeout=2)"]
ENTRYPOINT ["banyan", "run"]
