/**
 * `node --import tsx e2e/bench/session-size.ts`: what one session takes on the relay's disk as a team goes through its backlog, a round on each story,
 * with the built programs. PEOPLE, ROUNDS (several numbers, one run each).
 */
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { PassThrough } from 'node:stream'
import type { obey } from '../../client/terminal/obey.ts'
import type { Stats } from '../../relay/commands/stats.ts'
import { RelayProcess } from '../relay.ts'

const people = Number(process.env.PEOPLE ?? 8)
const runs = (process.env.ROUNDS ?? '0,10,50,100').split(',').map(Number)

const folder = mkdtempSync(join(tmpdir(), 'facedown-bench-'))
const terminal: { obey: typeof obey } = await import(resolve('dist/relay/terminal/obey.js'))

/** Somebody at a terminal of their own. */
class Seat {
  readonly #input = new PassThrough()
  readonly #output = new PassThrough()
  readonly #ended: Promise<number>
  #said = ''

  constructor(words: readonly string[], name: string) {
    this.#output.on('data', (text) => (this.#said += text))
    const errors = new PassThrough().on('data', (text) => process.stderr.write(text))
    const environment = { XDG_STATE_HOME: join(folder, name) }
    const stopped = new Promise<void>(() => {})
    this.#ended = terminal.obey(words, {
      input: this.#input,
      output: this.#output,
      errors,
      environment,
      stopped,
    })
  }

  types(line: string): void {
    this.#input.write(`${line}\n`)
  }

  /** Until a line begins with this. */
  async hears(words: string): Promise<void> {
    while (!`\n${this.#said}`.includes(`\n${words}`)) await once(this.#output, 'data')
  }

  async ends(): Promise<string> {
    this.#input.end()
    if ((await this.#ended) !== 0) throw new Error('A command did not succeed')
    return this.#said
  }
}

try {
  for (const rounds of runs)
    console.log(`${people} people, ${rounds} rounds: ${await playedBy(people, rounds)}`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
process.exit(0)

async function playedBy(people: number, rounds: number): Promise<string> {
  const relay = await RelayProcess.start()
  try {
    const link = (await new Seat(['create', relay.url, '--name', 'person 0'], '0').ends()).trim()
    const backlog = new Seat(['import', link, '-'], 'import')
    for (let story = 1; story <= Math.max(1, rounds); story++)
      backlog.types(`TIK-${story} A story with a title of usual length`)
    await backlog.ends()
    const seats = Array.from({ length: people }, (_, seat) => {
      const name = `person ${seat}`
      return new Seat(['join', link, '--name', name], String(seat))
    })
    const [first] = seats
    await Promise.all(seats.map((seat) => seat.hears('session')))
    for (let round = 1; round <= rounds; round++) {
      first?.types('next')
      await Promise.all(seats.map((seat) => seat.hears(`round: TIK-${round} `)))
      for (const seat of seats) seat.types(`vote ${round % 2 ? 5 : 8}`)
      first?.types(`wait votes ${people}\nreveal\nwait result\nsettle 5`)
      await Promise.all(seats.map((seat) => seat.hears(`estimate: 5 for TIK-${round} `)))
    }
    await Promise.all(seats.map((seat) => seat.ends()))
    const changes = await changesAt(relay.url)
    await relay.stop() // it tidies up its write-ahead log
    return `${changes} changes; ${measured(relay.dataDir)}`
  } finally {
    await relay.remove()
  }
}

/** So many were saved, also those that a snapshot has replaced since. */
async function changesAt(url: string): Promise<string> {
  const metrics = await (await fetch(`${url}metrics`)).text()
  return /facedown_appends_total\{outcome="saved"\} (\d+)/.exec(metrics)?.[1] ?? 'no'
}

function measured(DATA_DIR: string): string {
  const words = ['dist/relay/facedown.js', 'stats', '--json']
  const { stdout } = spawnSync(process.execPath, words, {
    env: { ...process.env, DATA_DIR },
    encoding: 'utf8',
  })
  const [stats]: Stats[] = JSON.parse(stdout)
  if (!stats) throw new Error('There is no database')
  const { bytes, rows } = stats
  const kilobytes = (size: number) => `${(size / 1000).toFixed(0)} KB`
  return `${kilobytes(bytes.largestSession)} of envelopes, ${JSON.stringify(rows)}, database ${kilobytes(bytes.database)}`
}
