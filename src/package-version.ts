import { createRequire } from 'node:module'

const { version, engines } = createRequire(import.meta.url)('../package.json') as {
  version: string
  engines: { node: string }
}

/** This package's own version, for the `user-agent` header and `--version`. */
export const packageVersion = version

/** The versions of Node that it runs on, such as `>=20.19.0`. */
export const nodeRange = engines.node
