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
    for (const [name, region] of Object.entries(regions)) {
      const processes = [
        ...region.relays.map((process) => ({ part: 'relay', process })),
        ...region.stores.map((process) => ({ part: 'store', process })),
      ]
      for (const { part, process } of processes) {
        faults.push(
          {
            name: `kill a ${part} in the ${name}`,
            strike: async () => {
              await process.stop('SIGKILL')
              return () => process.resume()
            },
          },
          {
            name: `stop a ${part} in the ${name}`,
            strike: async () => {
              process.signal('SIGSTOP')
              return () => process.signal('SIGCONT')
            },
          },
        )
      }
      faults.push({
        name: `kill NATS in the ${name}`,
        strike: async () => {
          await region.nats.end('SIGKILL')
          return () => region.nats.restart()
        },
      })
    }
    this.#faults = faults
  }

  get total(): number {
    return [...this.strikes.values()].reduce((sum, times) => sum + times, 0)
  }

  /** Something that is not down already, for one to four seconds. */
  async strike(): Promise<void> {
    const free = this.#faults.filter((fault) => ![...this.#down].some((other) => excludes(fault, other)))
    const fault = free[Math.floor(Math.random() * free.length)]
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

/** A process is not stopped while it is dead, nor NATS while a process that needs it at its start is being started. */
function excludes(one: Fault, other: Fault): boolean {
  const regionOf = ({ name }: Fault) => name.split(' ').at(-1)
  return one === other || regionOf(one) === regionOf(other)
}
