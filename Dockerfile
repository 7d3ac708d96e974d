# One image for the proxy, the web server, the workers and the migration; docker-compose.yml says which does what.
# Any image with Python 3.11 or newer (and its venv module) will do as a base.
ARG BASE_IMAGE=docker.io/library/python:3.11-slim-bookworm

FROM ${BASE_IMAGE} AS build
WORKDIR /app
# The same steps as on any machine. First those that change least: a new line of code installs nothing again.
COPY crossmodal/bootstrap.py crossmodal/bootstrap.py
COPY requirements.txt ./
RUN python3 -I crossmodal/bootstrap.py --only python
COPY requirements-proxy.txt ./
RUN .venv/bin/python -m pip --disable-pip-version-check --no-input install --no-deps --no-compile --only-binary :all: -r requirements-proxy.txt
COPY package.json package-lock.json .npmrc ./
RUN python3 -I crossmodal/bootstrap.py --only browser
# The packages' own tests are never run here. Two hold files for Python 2 that cannot be compiled, and are never imported.
RUN find .venv/lib -type d -name tests -prune -exec rm -rf {} + \
    && .venv/bin/python -m compileall -q -j 0 .venv/lib >/dev/null || true
COPY . .
# Any new value, such as a date, fetches the newest yt-dlp with its solver and runtime over the pinned ones.
ARG UPDATE_DOWNLOADER=
RUN if [ -n "$UPDATE_DOWNLOADER" ]; then \
        .venv/bin/python -I crossmodal/update_downloader.py \
        && .venv/bin/python -m compileall -q -j 0 .venv/lib/python*/site-packages/yt_dlp*; \
    fi
RUN SECRET_KEY=for-this-step-only VAR_DIR=/tmp/var .venv/bin/python manage.py collectstatic --noinput \
    && .venv/bin/python -m compileall -q annotation crossmodal evaluation pipeline \
    && rm -rf .venv/node node_modules var .venv/lib/python*/site-packages/pip .venv/lib/python*/site-packages/pip-*

FROM ${BASE_IMAGE}
# A number, so that orchestrators can see that it is not root.
RUN mkdir -p /data/files /data/tmp && chown -R 10001:10001 /data
COPY --from=build /app /app
WORKDIR /app
ENV PATH=/app/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    CROSSMODAL_PRODUCTION=1 \
    BIND=0.0.0.0:8000 \
    VAR_DIR=/data \
    TMPDIR=/data/tmp \
    HOME=/data/tmp
USER 10001:10001
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s CMD ["python", "-m", "crossmodal.probe", "web"]
CMD ["gunicorn", "--config", "python:crossmodal.server", "crossmodal.wsgi"]
