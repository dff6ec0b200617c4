FROM python:3.11-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY app app
COPY graphs graphs
COPY nodes nodes
COPY tools tools
COPY flags flags
COPY evals evals
RUN python -m venv /opt/zhiyin && /opt/zhiyin/bin/pip install --no-cache-dir .

FROM python:3.11-slim
RUN useradd --create-home --uid 10001 zhiyin
COPY --from=build /opt/zhiyin /opt/zhiyin
USER zhiyin
WORKDIR /home/zhiyin
ENV PATH=/opt/zhiyin/bin:$PATH DATA_DIR=/home/zhiyin/var LOG_DIR=/home/zhiyin/logs HOST=0.0.0.0
VOLUME /home/zhiyin/var
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=3s --start-period=20s \
  CMD python -c "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/health/ready', timeout=2)"
CMD ["zhiyin", "serve"]
