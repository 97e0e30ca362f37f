import { fork } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { BareClient, webSocketOf } from '../../relay/connections/bare-client.testing.ts'
import { someEnvelope } from '../../relay/testing.ts'
import { createSessionKeys, keysFor } from '../../shared/keys.ts'
import { memoryOf, quantile } from '../bench/figures.ts'
import { play, Team } from './team.ts'
import { Trial, until } from './trial.ts'

const readers = Number(process.env.READERS ?? 200)
const halfOpen = Number(process.env.HALF_OPEN ?? 2000)
/** Milliseconds for a machine that is busy with something else as well; SLACK=2 where it is not. */
const slack = { median: Number(process.env.SLACK ?? 15), p99: Number(process.env.SLACK ?? 50) }
const large = someEnvelope(65_536)
/** So that a pause of this machine is not taken for the attack. */
const windows = 3

test(`somebody who sends ${readers} readers that stand still all they can is felt by nobody`, async () => {
  const trial = await Trial.start({ SESSION_MAX_BYTES: String(2 ** 32) })
  const teams = await honest(trial)
  const crowd = await Stalled.gather(trial.url, readers)
  const clean = await delay(teams)
  const before = memoryOf(trial.relay.process.pid)
  let most = 0
  const flood = setInterval(() => {
    crowd.flood()
    most = Math.max(most, memoryOf(trial.relay.process.pid))
  }, 5)
  onTestFinished(() => clearInterval(flood))
  crowd.stopReading()
  const attacked = await delay(teams)
  console.info(`${told(clean)}, attacked ${told(attacked)}; memory + ${mb(most - before)}`)
  expectUnharmed(clean, attacked)
  expect(most - before).toBeLessThan((readers + 120) * (1 << 20))
  expect(crowd.sent).toBeGreaterThan(10)
})

test('all of eight teams who stand still are ended, with little memory, and the relay goes on meanwhile', async () => {
  const trial = await Trial.start({ SESSION_MAX_BYTES: String(2 ** 32) })
  const teams = await honest(trial)
  const crowds = await Promise.all(Array.from({ length: 8 }, () => Stalled.gather(trial.url, 8)))
  const before = memoryOf(trial.relay.process.pid)
  let most = 0
  for (const crowd of crowds) crowd.stopReading()
  const flood = setInterval(() => {
    for (const crowd of crowds) crowd.flood()
    most = Math.max(most, memoryOf(trial.relay.process.pid))
  }, 12)
  onTestFinished(() => clearInterval(flood))
  await until(() => crowds.every(({ ended }) => ended === 8), 'all who do not read are ended', 40_000)
  clearInterval(flood)
  await play(teams, 0.5, 150)
  await until(() => teams.every(({ answered }) => answered), 'everything is saved')
  console.info(`memory + ${mb(most - before)}`)
  expect(most - before).toBeLessThan((64 + 120) * (1 << 20))
}, 60_000)

test.each(['changes', 'signals to everybody', 'pings'] as const)(
  'somebody who sends 1,000 %s a second, and comes back whenever they are closed, is felt by nobody',
  async (way) => {
    const trial = await Trial.start({ NEW_CONNECTIONS_PER_SECOND: '1000' })
    const teams = await honest(trial)
    const clean = await delay(teams)
    const attacker = fork(new URL('./attacker.ts', import.meta.url), [trial.url, way], {
      execArgv: ['--import', 'tsx'],
    })
    onTestFinished(() => void attacker.kill())
    let closed = 0
    attacker.on('message', () => closed++)
    await until(() => closed > 0, 'they were closed')
    const before = closed
    const attacked = await delay(teams)
    await until(() => closed > before, 'they were closed again')
    console.info(`${told(clean)}, attacked ${told(attacked)}; closed ${closed} times`)
    expectUnharmed(clean, attacked)
    expect(teams.every(({ answered }) => answered)).toBe(true)
  },
)

test(`${halfOpen} connections that were begun and left alone keep nobody from joining`, async () => {
  const trial = await Trial.start({ NEW_CONNECTIONS_PER_SECOND: '1000' })
  const clean = await joins(trial)
  const begun: Socket[] = []
  onTestFinished(() => {
    for (const socket of begun) socket.destroy()
  })
  while (begun.length < halfOpen) {
    const some = Array.from({ length: 100 }, () => connect(trial.port, '127.0.0.1'))
    await Promise.all(some.map((socket) => once(socket, 'connect')))
    for (const socket of some) {
      socket.on('error', () => {})
      socket.resume()
      socket.write(`GET /sync/${createSessionKeys().session} HTTP/1.1\r\nHost: `)
    }
    begun.push(...some)
  }
  const attacked = await joins(trial)
  console.info(`join p99 ${ms(clean)}, beside ${halfOpen} half-open connections ${ms(attacked)}`)
  expect(attacked).toBeLessThan(Math.max(1000, 3 * clean))
  const patience = performance.now()
  await until(() => begun.every(({ closed }) => closed), 'the relay ends them all', 20_000)
  console.info(`all were ended after ${ms(performance.now() - patience)}`)
})

async function honest(trial: Trial): Promise<Team[]> {
  const teams: Team[] = []
  for (let number = 0; number < 6; number++) teams.push(await Team.join(trial.url))
  onTestFinished(() => {
    for (const team of teams) team.leave()
  })
  await play(teams, 0.5, 100)
  return teams
}

/** Those of a session who do not read, and one who sends them all that is taken. */
class Stalled {
  readonly #readers: readonly BareClient[]
  readonly #writer: BareClient
  sent = 0

  private constructor(readers: readonly BareClient[], writer: BareClient) {
    this.#readers = readers
    this.#writer = writer
  }

  static async gather(url: string, count: number): Promise<Stalled> {
    const keys = createSessionKeys()
    const joined = Array.from({ length: count }, () => BareClient.join(url, keysFor('observer', keys)))
    const readers = await Promise.all(joined)
    const writer = await BareClient.join(url, keys)
    onTestFinished(() => {
      for (const { socket } of [...readers, writer]) socket.terminate()
    })
    return new Stalled(readers, writer)
  }

  get ended(): number {
    return this.#writer.frames.filter(({ type }) => type === 'left').length
  }

  stopReading(): void {
    for (const { socket } of this.#readers) socket.pause()
  }

  flood(): void {
    if (webSocketOf(this.#writer).bufferedAmount > 1 << 20) return
    this.#writer.send({ type: 'signal', to: 0, envelope: large })
    this.sent++
  }
}

interface Delay {
  readonly median: number
  readonly p99: number
}

/** Of fan-out, in milliseconds: the middle of some windows. */
async function delay(teams: readonly Team[]): Promise<Delay> {
  const found: number[][] = []
  for (let window = 0; window < windows; window++) {
    for (const team of teams) team.forget()
    await play(teams, 1, 300)
    await until(() => teams.every(({ answered }) => answered), 'everything is saved')
    found.push(teams.flatMap(({ fanOut }) => fanOut))
  }
  const middle = (share: number) =>
    quantile(
      found.map((window) => quantile(window, share)),
      0.5,
    )
  return { median: middle(0.5), p99: middle(0.99) }
}

function expectUnharmed(clean: Delay, attacked: Delay): void {
  expect(attacked.median).toBeLessThan(2 * clean.median + slack.median)
  expect(attacked.p99).toBeLessThan(2 * clean.p99 + slack.p99)
}

async function joins(trial: Trial): Promise<number> {
  const times: number[] = []
  for (let number = 0; number < 40; number++) {
    const before = performance.now()
    const client = await BareClient.join(trial.url, createSessionKeys())
    times.push(performance.now() - before)
    client.socket.terminate()
  }
  return quantile(times, 0.99)
}

function told({ median, p99 }: Delay): string {
  return `median ${ms(median)}, p99 ${ms(p99)}`
}

function ms(milliseconds: number): string {
  return `${milliseconds.toFixed(1)} ms`
}

function mb(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MB`
}
