/**
 * The load: teams of sockets on one server or several, changes of about 150 bytes from random ones, each to be seen by the
 * others of its team. Runs as a process of its own and obeys its parent.
 */
import type { KeyObject } from 'node:crypto'
import { createSessionKeys, roleSeed, type SessionKeys } from '../../shared/keys.ts'
import { addressOf, type Dialect, type Heard, open, type Player, privateKeyOf } from './dialects.ts'
import { pause, quantile } from './figures.ts'
import { joinLightly } from './light-client.ts'

export type Order =
  /** Each team's people take the ports in turn. */
  | {
      readonly do: 'connect'
      readonly ports: readonly number[]
      readonly dialect: Dialect
      readonly teams: number
      readonly size: number
    }
  | {
      readonly do: 'play'
      readonly seconds: number
      readonly perSecond: number
      readonly signalsPerSecond?: number
    }
  | { readonly do: 'listen'; readonly seconds: number }
  /** Fills sessions with changes, then has others join them, all within some time. */
  | {
      readonly do: 'fill'
      readonly port: number
      readonly sessions: number
      readonly changes: number
    }
  | {
      /** Into the sessions that were filled, with so many changes each. */
      readonly do: 'storm'
      readonly port: number
      readonly changes: number
      readonly clients: number
      readonly withinMs: number
    }

export interface Answers {
  connect: { readonly connected: number }
  play: Played
  /** Frames that came without anybody doing anything. */
  listen: { readonly frames: number; readonly bytes: number }
  fill: { readonly filled: number }
  /** From the beginning of connecting to having read the log, in milliseconds, and how long it took until all had begun. */
  storm: { readonly times: readonly number[]; readonly begunMs: number; readonly loadSeconds: number }
}

export interface Played {
  readonly sent: number
  readonly received: number
  readonly saved: number
  /** Milliseconds from send to receipt. */
  readonly p50: number
  readonly p99: number
  readonly savedP50: number
  readonly savedP99: number
  /** Of the load's core, so that nobody takes its limits for the server's. */
  readonly loadBusy: number
}

interface Filled {
  readonly room: SessionKeys
  readonly key: KeyObject
}

const players: Player[] = []
const filled: Filled[] = []
const heard: Heard = { latencies: [], savedAfter: [], frames: 0, bytes: 0 }

process.on('message', async (order: Order) => {
  process.send?.(await obey(order))
})

function obey(order: Order): Promise<Answers[Order['do']]> {
  switch (order.do) {
    case 'connect':
      return connectAll(order)
    case 'play':
      return play(order)
    case 'listen':
      return listen(order)
    case 'fill':
      return fill(order)
    case 'storm':
      return storm(order)
  }
}

async function connectAll(order: Extract<Order, { do: 'connect' }>): Promise<Answers['connect']> {
  const { ports, dialect, teams, size } = order
  const pending: (() => Promise<Player>)[] = []
  const before = players.length
  for (let team = 0; team < teams; team++) {
    const keys = dialect === 'facedown' ? createSessionKeys() : undefined
    for (let seat = 0; seat < size; seat++) {
      const number = before + team * size + seat
      const port = ports[seat % ports.length] ?? 0
      pending.push(() => open({ port, dialect, room: keys ?? `team-${before}-${team}`, number }, heard))
    }
  }
  for (let at = 0; at < pending.length; at += 50) {
    players.push(...(await Promise.all(pending.slice(at, at + 50).map((connect) => connect()))))
  }
  return { connected: players.length }
}

async function play(order: Extract<Order, { do: 'play' }>): Promise<Played> {
  const { seconds, perSecond, signalsPerSecond = 0 } = order
  heard.latencies = []
  heard.savedAfter = []
  let [sent, signals] = [0, 0]
  const cpu = process.cpuUsage()
  const start = performance.now()
  const elapsed = () => (performance.now() - start) / 1000
  while (elapsed() < seconds) {
    const due = Math.floor(elapsed() * perSecond)
    for (; sent < due; sent++) {
      const player = anybody()
      player.socket.send(player.change())
    }
    const dueSignals = Math.floor(elapsed() * signalsPerSecond)
    for (; signals < dueSignals; signals++) {
      const player = anybody()
      player.socket.send(player.signal())
    }
    await pause(1)
  }
  const { user, system } = process.cpuUsage(cpu)
  const lasted = elapsed()
  await pause(500) // what is still on the way
  const { latencies, savedAfter } = heard
  return {
    sent,
    received: latencies.length,
    saved: savedAfter.length,
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
    savedP50: quantile(savedAfter, 0.5),
    savedP99: quantile(savedAfter, 0.99),
    loadBusy: (user + system) / 1e6 / lasted,
  }
}

async function listen({ seconds }: Extract<Order, { do: 'listen' }>): Promise<Answers['listen']> {
  const [frames, bytes] = [heard.frames, heard.bytes]
  await pause(seconds * 1000)
  return { frames: heard.frames - frames, bytes: heard.bytes - bytes }
}

async function fill({ port, sessions, changes }: Extract<Order, { do: 'fill' }>): Promise<Answers['fill']> {
  for (let number = 0; number < sessions; number++) {
    const room = createSessionKeys()
    const author = await open({ port, dialect: 'facedown', room, number }, heard)
    const before = heard.savedAfter.length
    for (let at = 0; at < changes; at++) author.socket.send(author.change())
    while (heard.savedAfter.length < before + changes) await pause(5)
    author.socket.terminate()
    filled.push({ room, key: privateKeyOf(roleSeed(room)) })
  }
  return { filled: filled.length }
}

async function storm({
  port,
  clients,
  changes,
  withinMs,
}: Extract<Order, { do: 'storm' }>): Promise<Answers['storm']> {
  const times: Promise<number>[] = []
  const cpu = process.cpuUsage()
  const start = performance.now()
  for (let number = 0; number < clients; number++) {
    const due = start + (number * withinMs) / clients
    while (performance.now() < due) await pause(1)
    const began = performance.now()
    const { room, key } = filled[number % filled.length] as Filled
    const arrived = joinLightly(port, room, key, addressOf(number))
    const took = async () => {
      if ((await arrived) !== changes) throw new Error('Somebody did not get the whole log')
      return performance.now() - began
    }
    times.push(took())
  }
  const begunMs = performance.now() - start
  await Promise.all(times)
  const { user, system } = process.cpuUsage(cpu)
  return { times: await Promise.all(times), begunMs, loadSeconds: (user + system) / 1e6 }
}

function anybody(): Player {
  return players[Math.floor(Math.random() * players.length)] as Player
}
