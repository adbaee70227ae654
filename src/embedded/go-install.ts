import { findOnPath } from './executable.js'
import { runCommand } from './run-command.js'

const NEEDED_GO = { major: 1, minor: 25 }
const REPORT_EVERY_MS = 5_000

/** Without debug information, and without the gRPC of Google Cloud Storage, to which nothing is archived here. */
const BUILD_FLAGS = ['-ldflags=-s -w', '-gcflags=all=-dwarf=false', '-tags=disable_grpc_modules']

/** What {@link goInstall} needs to know. */
export interface GoInstallOptions {
  /** The package with its version, such as `github.com/temporalio/cli/cmd/temporal@v1.5.1`. */
  module: string
  /** Where the program is put. */
  directory: string
  /** The `PATH` on which Go is looked for. */
  searchPath: string | undefined
  /** Told the elapsed time and the number of packages every 5 s. */
  onProgress?: ((message: string) => void) | undefined
  /** Kills the build. */
  signal?: AbortSignal | undefined
}

/**
 * Builds a Go program into `directory`.
 *
 * @throws an error when Go is missing, older than 1.25, or the build fails, with the build's last lines
 */
export async function goInstall({
  module,
  directory,
  searchPath = '',
  onProgress,
  signal,
}: GoInstallOptions): Promise<void> {
  const go = await findOnPath('go', searchPath)
  // GOTMPDIR: a build that is killed leaves its temporary files to whoever removes the directory.
  // CGO_ENABLED: none of the programs needs a C compiler.
  const env = { GOBIN: directory, GOTMPDIR: directory, PATH: searchPath, CGO_ENABLED: '0' }
  assertGoVersion(await runCommand(go, ['version'], { cwd: directory, env, signal }), go)

  const startedAt = Date.now()
  let downloaded = 0
  let compiled = 0
  const report = () => {
    const seconds = Math.round((Date.now() - startedAt) / 1000)
    onProgress?.(`go install: ${seconds} s, ${downloaded} modules downloaded, ${compiled} packages compiled`)
  }
  const timer = setInterval(report, REPORT_EVERY_MS)
  try {
    await runCommand(go, ['install', '-v', ...BUILD_FLAGS, module], {
      cwd: directory,
      env,
      signal,
      onLine: (line) => {
        if (line.startsWith('go: downloading ')) downloaded += 1
        else compiled += 1
      },
    })
    report()
  } finally {
    clearInterval(timer)
  }
}

function assertGoVersion(output: string, go: string): void {
  const [, major, minor] = /go(\d+)\.(\d+)/.exec(output) ?? []
  if (major === undefined || minor === undefined) {
    throw new Error(`${go} version printed ${JSON.stringify(output)}, expected "go version go1.25" or later`)
  }
  if (Number(major) === NEEDED_GO.major && Number(minor) < NEEDED_GO.minor) {
    throw new Error(
      `${go} is Go ${major}.${minor}, needed is Go ${NEEDED_GO.major}.${NEEDED_GO.minor} or later`,
    )
  }
}
