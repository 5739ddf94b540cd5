# Lanista in a container, as a user without rights:
#   docker build -t lanista .
#   mkdir -p runs   # else Docker makes it, as root
#   docker run --rm --user "$(id -u)" -e HOME=/tmp -v "$PWD/runs:/home/lanista/runs" \
#     lanista train connect_four --minutes 10 --out runs/first
#   docker run --rm --user "$(id -u)" -e HOME=/tmp -v "$PWD/runs:/home/lanista/runs" -p 8321:8321 \
#     lanista play --no-browser --host 0.0.0.0 --port 8321
FROM python:3.11-slim AS wheel
WORKDIR /source
COPY . .
RUN pip install --no-cache-dir "build>=1.2" && python -m build --wheel --outdir /wheels

FROM python:3.11-slim
COPY --from=wheel /wheels /wheels
# PyTorch's wheels of the usual index bring CUDA, several GB. What is installed is the wheel from above.
# hadolint ignore=DL3013
RUN wheel=$(ls /wheels/*.whl) \
    && pip install --no-cache-dir --extra-index-url https://download.pytorch.org/whl/cpu "${wheel}[minigrid,onnx,perception,play,serve]" \
    && rm -r /wheels
RUN useradd --create-home --uid 1000 lanista
# By number, so that a cluster sees that it is not root.
USER 1000
WORKDIR /home/lanista
ENTRYPOINT ["lanista"]
CMD ["--help"]
