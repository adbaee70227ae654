import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** PEM texts. */
export interface Certificate {
  cert: string
  key: string
}

/** A certificate authority of a test's own, made with the openssl command. */
export interface Authority extends AsyncDisposable {
  /** Its own certificate. */
  cert: string
  /** Issues a certificate for a host name or address, or for a client of that name. */
  issue(name: string, options?: { expired?: boolean }): Promise<Certificate>
}

export async function createAuthority(): Promise<Authority> {
  const folder = await mkdtemp(join(tmpdir(), 'external-sync-ca-'))
  const path = (name: string): string => join(folder, name)
  const openssl = (...args: string[]) => run('openssl', args, { cwd: folder })
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

  await openssl(
    'req',
    '-x509',
    ...newKey,
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
    '-days',
    '2',
    '-subj',
    '/CN=Test CA',
  )
  let serial = 1
  return {
    cert: await readFile(path('ca.pem'), 'utf8'),
    async issue(name, { expired = false } = {}) {
      serial += 1
      const file = `leaf-${serial}`
      const subject = /^[\d.:]+$/.test(name) ? `IP:${name}` : `DNS:${name}`
      await writeFile(path(`${file}.ext`), `subjectAltName=${subject}\n`)
      await openssl('req', ...newKey, '-keyout', `${file}.key`, '-out', `${file}.csr`, '-subj', `/CN=${name}`)
      // `x509` takes no dates in the past, only a number of days from now; a negative one has passed.
      const days = expired ? '-1' : '2'
      await openssl(
        ...`x509 -req -in ${file}.csr -CA ca.pem -CAkey ca.key -set_serial ${serial} -days ${days}`.split(
          ' ',
        ),
        ...`-extfile ${file}.ext -out ${file}.pem`.split(' '),
      )
      return {
        cert: await readFile(path(`${file}.pem`), 'utf8'),
        key: await readFile(path(`${file}.key`), 'utf8'),
      }
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  }
}
