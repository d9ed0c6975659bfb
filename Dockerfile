# The production image: the service with its console and what it needs; no compiler, no Node.js, no development tools, no
# embedded servers.
# `docker build -t user-tags .`, then `serve` (the default), `worker` and `migrate` run from the same image.
# tests/packaging/test_image_steps.py performs these steps without Docker; keep to instructions it knows.

# Tag and digest name the same image; change both together.
ARG BASE=python:3.11.16-slim-trixie@sha256:9c900dea9e8fb7e16277c179b555cc72d29a352dbc33cff48ad5a0412fd5bfc7
FROM ${BASE} AS builder
WORKDIR /source
RUN python -m venv /opt/build && python -m venv /opt/user-tags
COPY requirements/build.txt requirements/console.txt requirements/production.txt requirements/
RUN /opt/build/bin/python -m pip install --quiet --no-cache-dir --require-hashes -r requirements/build.txt -r requirements/console.txt
RUN /opt/user-tags/bin/python -m pip install --quiet --no-cache-dir --require-hashes -r requirements/production.txt
# Into service/web/pages, before what changes more often is there.
COPY schema.graphql ./
COPY console console
RUN /opt/build/bin/python console/build.py
COPY pyproject.toml README.md LICENSE ./
COPY service service
COPY sql sql
RUN /opt/build/bin/python -m pip wheel --quiet --no-cache-dir --no-deps --no-build-isolation --wheel-dir dist .
RUN /opt/user-tags/bin/python -m pip install --quiet --no-cache-dir --no-deps --no-index dist/*.whl

FROM ${BASE}
COPY --from=builder /opt/user-tags /opt/user-tags
ENV PATH=/opt/user-tags/bin:$PATH
ENV PYTHONUNBUFFERED=1
ENV USER_TAGS_ENV=production
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
ENTRYPOINT ["user-tags"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
