# The gateway's image: built with the development tools, run without them, as a user that is not root.
FROM node:24-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npm run build && npm prune --omit=dev

FROM node:24-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /build/node_modules ./node_modules
COPY --from=build /build/dist ./dist
COPY package.json ./
COPY bin ./bin
COPY wsdl ./wsdl
COPY schemas ./schemas
COPY config ./config
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
# Inside a container the network is the container's own: listen on all of it.
ENV GATEWAY_STORE=/data/passerelle.db GATEWAY_HTTP_HOST=0.0.0.0 GATEWAY_SMTP_HOST=0.0.0.0
EXPOSE 8080 2525
# SIGTERM goes to Node itself: no shell in between.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["node", "-e", "process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'; fetch((process.env.GATEWAY_HTTP_TLS_CERT ? 'https' : 'http') + '://127.0.0.1:' + (process.env.GATEWAY_HTTP_PORT || 8080) + '/readyz').then(r => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "bin/passerelle.mjs"]
CMD ["serve"]
