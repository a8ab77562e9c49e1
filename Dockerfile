# Two stages: what is needed to build stays in the first. Every dependency has a wheel, so neither has a compiler.
# The exact Python of the locks (requirements*.txt); pin by digest in a registry of your own.
FROM python:3.11-slim-bookworm AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
RUN python -m venv /venv
ENV PATH=/venv/bin:$PATH
WORKDIR /app

# `--build-arg REQUIREMENTS=requirements-mysql.txt` for MySQL. Before the program: a change of code keeps this layer.
ARG REQUIREMENTS=requirements.txt
COPY requirements.txt requirements-mysql.txt ./
RUN pip install --only-binary :all: -r ${REQUIREMENTS} && python -m compileall -q /venv/lib

COPY . .
# As production has them: with a hash in each name, and compressed.
RUN ENVIRONMENT=production python manage.py collectstatic --no-input --verbosity 0 \
    && python -m compileall -q config menus orders sessions_app stores tableorder

FROM python:3.11-slim-bookworm

# A fixed number, so that volumes and secrets can be given to it. It owns only what it writes.
RUN groupadd --gid 10001 tableorder \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin tableorder \
    && install -d -o tableorder -g tableorder /data /data/media /data/log
COPY --from=build /venv /venv
COPY --from=build /app /app
WORKDIR /app
# Only looked for: without DATABASE_URL the embedded database would lie here, which production refuses with a hint.
RUN install -d -o tableorder -g tableorder /app/data

# /tmp and /dev/shm are all it writes besides /data: it runs with a read-only root.
ENV PATH=/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    BIND=0.0.0.0:8000 \
    MEDIA_ROOT=/data/media
USER 10001:10001
EXPOSE 8000
VOLUME /data

STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen('http://127.0.0.1:' + os.environ['BIND'].rpartition(':')[2] + '/health', timeout=4)"]
CMD ["gunicorn", "-c", "gunicorn.conf.py"]
