FROM python:3.11-slim-bookworm AS build
WORKDIR /src
RUN python -m venv /opt/zhiyin
# Libraries first: they change more seldom than the code.
COPY pyproject.toml ./
RUN python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'], sep='\n')" \
      > requirements.txt \
  && /opt/zhiyin/bin/pip install --no-cache-dir -r requirements.txt
COPY README.md LICENSE NOTICE ./
COPY flags flags
COPY tools tools
COPY nodes nodes
COPY graphs graphs
COPY app app
COPY evals evals
RUN /opt/zhiyin/bin/pip install --no-cache-dir --no-deps .

FROM python:3.11-slim-bookworm
RUN useradd --create-home --uid 10001 zhiyin \
  && install -d -o zhiyin -g zhiyin /home/zhiyin/var /home/zhiyin/logs
COPY --from=build /opt/zhiyin /opt/zhiyin
USER zhiyin
WORKDIR /home/zhiyin
# On all addresses of the container, which is why it does not start without JWT_SECRET.
ENV PATH=/opt/zhiyin/bin:$PATH HOST=0.0.0.0 PORT=8000 PYTHONUNBUFFERED=1
VOLUME ["/home/zhiyin/var", "/home/zhiyin/logs"]
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/health/ready', timeout=4)"]
CMD ["zhiyin", "serve"]
