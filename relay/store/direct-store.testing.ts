import type { SessionId } from '../../shared/id.ts'
import { AskedStore } from './asked-store.ts'
import { type OpenDatabase, openDatabase } from './database.ts'
import { Engine } from './engine.ts'
import { type Appended, type NewEntry, unreachable } from './store.ts'
import type { Answer, Notice, Request, StoreOptions } from './store-protocol.ts'

/** The same store without a thread: each call waits for the disk. For simulations, which decide themselves what happens when. */
export class DirectStore extends AskedStore {
  readonly origin: string
  readonly #engine: Engine
  #isOpen = true
  /** While false every call is refused, as if the disk were gone. */
  works = true

  constructor(
    options: StoreOptions,
    notice: (notice: Notice) => void = () => {},
    open: OpenDatabase = openDatabase(options.dataDir, options.region, options.origin),
  ) {
    super()
    this.#engine = new Engine(open, options, notice)
    this.origin = open.origin
  }

  async append(session: SessionId, entry: NewEntry): Promise<Appended> {
    if (!this.#isOpen || !this.works) return unreachable
    const [appended = unreachable] = this.#engine.append([{ session, ...entry }])
    return appended
  }

  async close(): Promise<void> {
    this.works = true
    const closed = this.ask({ type: 'close' })
    this.#isOpen = false
    await closed
  }

  protected async ask(request: Request): Promise<Answer> {
    return this.#isOpen && this.works ? this.#engine.answer(request) : unreachable
  }
}
