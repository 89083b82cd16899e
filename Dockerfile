# synthvae with torch for CPUs. Nothing is fetched at run time: docker run --network none ...
FROM python:3.11-slim-bookworm AS build
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
ARG EXTRAS=dp
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/synthvae
WORKDIR /src
COPY constraints.txt ./
# First and alone, since it seldom changes, and from where it comes without CUDA.
RUN /opt/synthvae/bin/pip install --index-url "$TORCH_INDEX" --extra-index-url https://pypi.org/simple \
    "$(grep '^torch==' constraints.txt)"
COPY pyproject.toml README.md LICENSE ./
COPY synthvae ./synthvae
COPY cli ./cli
RUN /opt/synthvae/bin/pip install -c constraints.txt ".[$EXTRAS]"

FROM python:3.11-slim-bookworm
# scikit-learn's threads.
RUN apt-get update && apt-get install -y --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/*
COPY --from=build /opt/synthvae /opt/synthvae
RUN useradd --create-home --uid 10001 synthvae
ENV PATH=/opt/synthvae/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER synthvae
WORKDIR /work
ENTRYPOINT ["synthvae"]
CMD ["--help"]
