# syntax=docker/dockerfile:1

FROM rust:1.95-slim-bookworm AS builder
WORKDIR /source
COPY Cargo.toml Cargo.lock ./
COPY core core
COPY p2p p2p
COPY src src
# Cargo reads the manifest of every member, and looks for each benchmark that it names, though the image is built without the
# devnet, the tests and the benchmarks.
COPY benches benches
COPY devnet/Cargo.toml devnet/Cargo.toml
COPY devnet/src/lib.rs devnet/src/lib.rs
COPY tests/peers/peer tests/peers/peer
# What cargo fetches and compiles stays with the builder; only the program leaves the cache.
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/source/target,sharing=locked \
    cargo build --release --locked --no-default-features --bin crosscheck \
    && install -D target/release/crosscheck /out/crosscheck

FROM debian:bookworm-slim
# The root certificates are for https:// endpoints.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /var/lib/crosscheck --shell /usr/sbin/nologin crosscheck \
    && install --directory --owner=crosscheck --group=crosscheck --mode=0700 /var/lib/crosscheck \
    && install --directory /etc/crosscheck
COPY --from=builder /out/crosscheck /usr/local/bin/crosscheck
COPY config/default.toml /etc/crosscheck/default.toml

ENV CROSSCHECK_CONFIG=/etc/crosscheck/crosscheck.toml \
    CROSSCHECK_DATA_DIR=/var/lib/crosscheck
USER 10001
WORKDIR /var/lib/crosscheck
VOLUME ["/var/lib/crosscheck"]
# JSON-RPC; health and metrics; followers; gossip, and discovery. All of it listens on the container's loopback, which nobody
# outside reaches, until rpc.addr, http.addr, follow.addr and each chain's p2p.listen say otherwise: README.md shows how. The
# health check goes by the same settings. The configuration must be readable to user 10001.
EXPOSE 9645 7300 9646 9222 9222/udp
HEALTHCHECK --interval=10s --timeout=6s --start-period=20s --retries=3 CMD ["crosscheck", "healthcheck"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["crosscheck"]
CMD ["run"]
