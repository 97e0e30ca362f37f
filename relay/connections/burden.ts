import { slowBytes } from './limits.ts'

/** Those for whom much is kept in this process. Each may have a little; all together must not fill the memory. */
export class Burden<Client> {
  readonly #clients = new Set<Client>()
  readonly #bytesOf: (client: Client) => number

  constructor(bytesOf: (client: Client) => number) {
    this.#bytesOf = bytesOf
  }

  get size(): number {
    return this.#clients.size
  }

  /** Looks whether much is kept for a client. */
  weigh(client: Client): void {
    if (this.#bytesOf(client) > slowBytes) this.#clients.add(client)
  }

  delete(client: Client): void {
    this.#clients.delete(client)
  }

  /** Who has to go, so that no more than so many bytes are kept for all: who has most goes first. */
  above(most: number): Client[] {
    if (this.#clients.size === 0) return []
    const kept = [...this.#clients].map((client) => ({ client, bytes: this.#bytesOf(client) }))
    let sum = 0
    for (const { client, bytes } of kept) {
      sum += bytes
      if (bytes <= slowBytes) this.#clients.delete(client)
    }
    if (sum <= most) return []
    kept.sort((one, other) => other.bytes - one.bytes)
    const left = kept.findIndex(({ bytes }) => {
      if (sum <= most) return true
      sum -= bytes
      return false
    })
    return kept.slice(0, left < 0 ? kept.length : left).map(({ client }) => client)
  }
}
