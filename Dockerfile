# syntax=docker/dockerfile:1

# Glibc is needed: Temporal's native core has no build for musl, so no Alpine.
FROM node:24-bookworm-slim AS base
WORKDIR /app

FROM base AS build
COPY package.json package-lock.json ./
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY scripts/build-workflow-bundle.ts scripts/
COPY types types
COPY src src
RUN npm run build && npm prune --omit=dev --no-audit --no-fund
# The core ships its builds for five platforms, 148 MB; the image needs one.
RUN find node_modules/@temporalio/core-bridge/releases -mindepth 1 -maxdepth 1 \
      ! -name "$(uname -m)-unknown-linux-gnu" -exec rm -r {} + \
    && node -e "require('@temporalio/core-bridge')"

FROM base
ENV NODE_ENV=production \
    SYNC_DATA_DIR=/var/lib/external-sync
RUN install -d -o node -g node -m 0700 /var/lib/external-sync
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
USER node
VOLUME /var/lib/external-sync
CMD ["node", "dist/cli.js", "worker"]
