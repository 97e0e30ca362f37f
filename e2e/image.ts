import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** Who owns nothing. Only root can become them; whoever runs the tests as somebody else is unprivileged already. */
const nobody = process.getuid?.() === 0 ? 65_534 : undefined

/** What the last stage of `relay/deploy/Dockerfile` puts into an image, laid out in a folder where nothing can be written. */
export class Image {
  readonly folder = mkdtempSync(join(tmpdir(), 'facedown-image-'))
  readonly environment: Record<string, string> = {}
  healthCheck: readonly string[] = []
  user: string | undefined
  #entrypoint: readonly string[] = []
  #command: readonly string[] = []

  static build(): Image {
    const image = new Image()
    const stages = readFileSync('relay/deploy/Dockerfile', 'utf8')
      .replaceAll('\\\n', '')
      .split(/^FROM /m)
    for (const line of (stages.at(-1) ?? '').split('\n').slice(1)) image.#follow(line)
    spawnSafely('chmod', ['-R', 'a-w,a+rX', join(image.folder, 'app')])
    chmodSync(image.folder, 0o755)
    return image
  }

  /** The program with other words than the image's own. */
  async run(command: readonly string[], environment: Record<string, string> = {}) {
    const child = this.start(command, environment)
    let said = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (said += text))
    const [code] = await once(child, 'close')
    return { code: Number(code), said }
  }

  start(command = this.#command, environment: Record<string, string> = {}) {
    return this.#spawn([...this.#entrypoint, ...command], environment)
  }

  async checkHealth(environment: Record<string, string>): Promise<boolean> {
    const [code] = await once(this.#spawn(this.healthCheck, environment), 'exit')
    return code === 0
  }

  remove(): void {
    spawnSafely('chmod', ['-R', 'u+w', this.folder])
    rmSync(this.folder, { recursive: true, force: true })
  }

  #spawn([program = '', ...words]: readonly string[], environment: Record<string, string>) {
    const env = { PATH: process.env.PATH, ...this.environment, ...environment }
    return spawn(
      program,
      words.map((word) => this.#inFolder(word)),
      {
        cwd: join(this.folder, 'app'),
        env: Object.fromEntries(
          Object.entries(env).map(([name, value]) => [name, this.#inFolder(value ?? '')]),
        ),
        ...(nobody === undefined ? {} : { uid: nobody, gid: nobody }),
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    )
  }

  #follow(line: string): void {
    const [, name = '', rest = ''] = /^([A-Z]+) +(.*)$/.exec(line.trim()) ?? []
    const list = () => JSON.parse(rest.slice(rest.indexOf('['))) as string[]
    switch (name) {
      case 'ENV':
        for (const [, key = '', value = ''] of rest.matchAll(/(\w+)=(\S+)/g)) this.environment[key] = value
        return
      case 'COPY':
        return this.#copy(rest)
      case 'RUN':
        // `install -d -o node -g node -m 700 folders`
        for (const [folder] of rest.matchAll(/(?<= )\/\w+/g)) this.#give(this.#inFolder(folder))
        return
      case 'USER':
        this.user = rest
        return
      case 'HEALTHCHECK':
        this.healthCheck = list()
        return
      case 'ENTRYPOINT':
        this.#entrypoint = list()
        return
      case 'CMD':
        this.#command = list()
        return
      case 'WORKDIR':
        mkdirSync(this.#inFolder(rest), { recursive: true })
        return
      case '':
      case 'VOLUME':
      case 'EXPOSE':
        return
      default:
        throw new Error(`The tests do not know what ${name} does`)
    }
  }

  #copy(words: string): void {
    const [, from = '', to = ''] = /^--from=build \/app\/(\S+) (\S+)$/.exec(words) ?? []
    const target = join(this.folder, 'app', to === './' ? from : to)
    if (from === 'node_modules') copyPackages(target)
    else cpSync(from, target, { recursive: true })
  }

  #give(folder: string): void {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    if (nobody !== undefined) chownSync(folder, nobody, nobody)
  }

  #inFolder(word: string): string {
    return /^\/(app|data|backups)(\/|$)/.test(word) ? join(this.folder, word) : word
  }
}

/** What `npm prune --omit=dev` leaves. */
function copyPackages(target: string): void {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
    packages: Record<string, { dev?: boolean; devOptional?: boolean }>
  }
  // The sources of SQLite are large, and compiled.
  const isNeeded = (path: string) => !/better-sqlite3\/(deps|src)(\/|$)|\/node_modules$/.test(path)
  for (const [path, { dev, devOptional }] of Object.entries(packages)) {
    if (path === '' || dev || devOptional || !existsSync(path)) continue
    const place = join(dirname(target), path)
    mkdirSync(dirname(place), { recursive: true })
    cpSync(path, place, { recursive: true, filter: isNeeded })
  }
}

function spawnSafely(program: string, words: readonly string[]): void {
  const { status } = spawnSync(program, words)
  if (status !== 0) throw new Error(`${program} ended with ${status}`)
}
