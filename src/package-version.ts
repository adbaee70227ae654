import { createRequire } from 'node:module'

/** This package's own version, for the `user-agent` header and `--version`. */
export const { version: packageVersion } = createRequire(import.meta.url)('../package.json') as {
  version: string
}
