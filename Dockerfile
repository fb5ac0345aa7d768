# syntax=docker/dockerfile:1
# Two stages: the first compiles the program and its database driver, the second holds only what runs.

FROM node:24-bookworm AS build
WORKDIR /build
COPY package.json package-lock.json ./
# The build of the program itself (prepare) comes after its sources; the database driver needs its script.
RUN npm ci --ignore-scripts && npm rebuild better-sqlite3
COPY tsconfig.json tsconfig.build.json ./
COPY connector connector
COPY certs-dev certs-dev
COPY schemas schemas
COPY policies policies
COPY examples examples
RUN npm run build && npm prune --omit=dev --ignore-scripts

FROM node:24-bookworm-slim
LABEL org.opencontainers.image.title="Handschlag" \
      org.opencontainers.image.description="Self-hosted Dataspace Protocol connector for machine data" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV NODE_ENV=production \
    HANDSCHLAG_DATA_DIR=/data
WORKDIR /app
COPY --from=build /build/node_modules node_modules
COPY --from=build /build/dist dist
COPY --from=build /build/schemas schemas
COPY --from=build /build/policies policies
COPY --from=build /build/examples examples
COPY package.json LICENSE ./
# The command under its name, and a data folder that belongs to the user of the image (uid 1000).
RUN chmod +x dist/connector/main.js \
 && ln -s /app/dist/connector/main.js /usr/local/bin/handschlag \
 && install -d -o node -g node -m 0700 /data
USER node
# The only place that is written to: run with --read-only if you like. The configuration is looked for here as well,
# as handschlag.yaml, and may be left out when everything comes from the environment.
VOLUME /data
WORKDIR /data
# The management port listens inside the container only. To reach the API from the host: -p 127.0.0.1:8485:8485 and
# HANDSCHLAG_MANAGEMENT_HOST=0.0.0.0. Change the port by HANDSCHLAG_MANAGEMENT_PORT, which the health check reads too.
EXPOSE 8484
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.HANDSCHLAG_MANAGEMENT_PORT || 8485}/health/live`, { signal: AbortSignal.timeout(4000) }).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/app/dist/connector/main.js"]
CMD ["serve"]
