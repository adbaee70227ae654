import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findOnPath } from './executable.js'
import { runCommand } from './run-command.js'

const NEEDED_JAVA = 17

/** What {@link mavenInstall} needs to know. */
export interface MavenInstallOptions {
  /** The artifact and its main class. */
  artifact: { groupId: string; artifactId: string; version: string; mainClass: string }
  /** Where the program is put, and its libraries in `lib`. */
  directory: string
  /** File name of the program, a script that runs the main class. */
  program: string
  /** The `PATH` on which Maven and Java are looked for. */
  searchPath: string | undefined
  /** Ends the download. */
  signal?: AbortSignal | undefined
}

/**
 * Makes a program of a Java artifact: fetches it with its dependencies and writes a script that runs it with
 * the `java` of `JAVA_HOME` or PATH.
 *
 * @throws an error when Java 17 or Maven is missing, or Maven fails, with its last lines
 */
export async function mavenInstall({
  artifact: { groupId, artifactId, version, mainClass },
  directory,
  program,
  searchPath = '',
  signal,
}: MavenInstallOptions): Promise<void> {
  if (process.platform === 'win32') throw new Error('the script that runs it needs a POSIX shell')
  const env = { PATH: searchPath }
  const java = await findOnPath('java', searchPath)
  assertJavaVersion(await runCommand(java, ['-version'], { env, signal }), java)
  const maven = await findOnPath('mvn', searchPath)

  const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>external-sync</groupId>
  <artifactId>libraries</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>${groupId}</groupId>
      <artifactId>${artifactId}</artifactId>
      <version>${version}</version>
    </dependency>
  </dependencies>
</project>
`
  await writeFile(join(directory, 'pom.xml'), pom)
  await runCommand(
    maven,
    [
      '--batch-mode',
      '--quiet',
      'dependency:copy-dependencies',
      '-DoutputDirectory=lib',
      '-DincludeScope=runtime',
    ],
    { cwd: directory, env, signal },
  )

  // `exec`: who kills the script must kill the server.
  const script = `#!/bin/sh
exec "\${JAVA_HOME:+$JAVA_HOME/bin/}java" -cp "$(dirname "$0")/lib/*" ${mainClass} "$@"
`
  await writeFile(join(directory, program), script)
  await chmod(join(directory, program), 0o755)
}

/** `java -version` prints `version "17.0.15"`, and `version "1.8.0_402"` before Java 9. */
function assertJavaVersion(output: string, java: string): void {
  const major = /version "(\d+)/.exec(output)?.[1]
  if (major === undefined) throw new Error(`${java} -version printed ${JSON.stringify(output)}`)
  if (Number(major) < NEEDED_JAVA) {
    throw new Error(
      `${java} is Java ${major === '1' ? '8 or older' : major}, needed is ${NEEDED_JAVA} or later`,
    )
  }
}
