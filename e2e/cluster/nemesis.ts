import type { Cluster } from './cluster.ts'

interface Fault {
  readonly name: string
  /** Returns the way to undo it. */
  strike(): Promise<() => Promise<void> | void>
}

/** Strikes the parts of a cluster, one or two at a time, and heals them after some seconds. */
export class Nemesis {
  /** How often each fault struck. */
  readonly strikes = new Map<string, number>()
  readonly #faults: readonly Fault[]
  readonly #healing = new Set<Promise<void>>()
  /** Of what is down: it is not struck again before it is back. */
  readonly #down = new Set<Fault>()

  constructor({ regions, link }: Cluster) {
    const faults: Fault[] = [
      {
        name: 'cut the link',
        strike: async () => {
          link.cut()
          return () => link.mend()
        },
      },
      {
        name: 'reset the link',
        strike: async () => {
          link.reset()
          return () => {}
        },
      },
    ]
    for (const [name, { relays, stores, nats, balancer }] of Object.entries(regions)) {
      for (const relay of relays) faults.push(...ofProcess(`a relay in the ${name}`, relay))
      for (const store of stores) faults.push(...ofProcess(`a store in the ${name}`, store))
      const server = { signal: nats.signal, stop: nats.end, resume: nats.restart }
      faults.push(
        ...ofProcess(`NATS in the ${name}`, server),
        ...ofProcess(`HAProxy in the ${name}`, balancer),
      )
    }
    this.#faults = faults
  }

  get total(): number {
    return [...this.strikes.values()].reduce((sum, times) => sum + times, 0)
  }

  /** Something that is not down already, for one to four seconds, of what was struck least so far. */
  async strike(): Promise<void> {
    const free = this.#faults.filter((fault) => ![...this.#down].some((other) => excludes(fault, other)))
    const times = ({ name }: Fault) => this.strikes.get(name) ?? 0
    const least = Math.min(...free.map(times))
    const rare = free.filter((fault) => times(fault) === least)
    const fault = rare[Math.floor(Math.random() * rare.length)]
    if (!fault) return
    this.#down.add(fault)
    const heal = await fault.strike()
    this.strikes.set(fault.name, (this.strikes.get(fault.name) ?? 0) + 1)
    const healing = new Promise((resolve) => setTimeout(resolve, 1_000 + Math.random() * 3_000))
      .then(heal)
      .then(() => {
        this.#down.delete(fault)
        this.#healing.delete(healing)
      })
    this.#healing.add(healing)
  }

  /** Waits until everything is whole again. */
  async rest(): Promise<void> {
    await Promise.all(this.#healing)
  }
}

interface Strikable {
  signal(signal: NodeJS.Signals): void
  stop(signal: NodeJS.Signals): Promise<void>
  resume(): Promise<void>
}

function ofProcess(name: string, process: Strikable): Fault[] {
  const ended = (signal: NodeJS.Signals) => async () => {
    await process.stop(signal)
    return () => process.resume()
  }
  const paused = async () => {
    process.signal('SIGSTOP')
    return () => process.signal('SIGCONT')
  }
  return [
    { name: `kill ${name}`, strike: ended('SIGKILL') },
    { name: `restart ${name}`, strike: ended('SIGTERM') },
    { name: `stop ${name}`, strike: paused },
  ]
}

/** A process is not stopped while it is dead, nor NATS while a process that needs it at its start is being started. */
function excludes(one: Fault, other: Fault): boolean {
  const regionOf = ({ name }: Fault) => name.split(' ').at(-1)
  return one === other || regionOf(one) === regionOf(other)
}
