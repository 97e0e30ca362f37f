import type { ConnectionId } from '../../shared/wire.ts'
import type { ExchangeOptions, StateExchange } from './state-exchange.ts'

/** Fetches the exchange when there is something to ask or to answer, which is seldom: the first view does not wait for it. */
export class LazyExchange {
  readonly #options: ExchangeOptions
  #exchange: Promise<StateExchange> | undefined

  constructor(options: ExchangeOptions) {
    this.#options = options
  }

  ask(): void {
    this.#use((exchange) => exchange.ask())
  }

  hear(from: ConnectionId, content: Uint8Array): void {
    this.#use((exchange) => exchange.hear(from, content))
  }

  left(connection: ConnectionId): void {
    if (this.#exchange) this.#use((exchange) => exchange.left(connection))
  }

  stop(): void {
    if (this.#exchange) this.#use((exchange) => exchange.stop())
  }

  #use(work: (exchange: StateExchange) => void): void {
    this.#exchange ??= import('./state-exchange.ts').then(
      ({ StateExchange }) => new StateExchange(this.#options),
    )
    this.#exchange.then(work, () => {
      this.#exchange = undefined // without a network; the next difference asks again
    })
  }
}
