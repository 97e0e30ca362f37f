import type { Cursor } from '../shared/cursor.ts'
import type { Deposit } from '../shared/escrow.ts'
import type { SessionId } from '../shared/id.ts'
import { type OpenDatabase, openDatabase } from './database.ts'
import { Engine } from './engine.ts'
import { unpackPage } from './sqlite-store.ts'
import type {
  Appended,
  Deleted,
  Deposited,
  Head,
  NewEntry,
  NewSnapshot,
  Page,
  PutSnapshot,
  Release,
  Store,
  Unreachable,
} from './store.ts'
import type { Notice, Request, StoreOptions } from './store-protocol.ts'

const unreachable: Unreachable = { outcome: 'refused', reason: 'unreachable' }

/** The same store without a thread: each call waits for the disk. For simulations, which decide themselves what happens when. */
export class DirectStore implements Store {
  readonly origin: string
  readonly #open: OpenDatabase
  readonly #engine: Engine
  #isOpen = true
  /** While false every call is refused, as if the disk were gone. */
  works = true

  constructor(
    options: StoreOptions,
    notice: (notice: Notice) => void = () => {},
    open: OpenDatabase = openDatabase(options.dataDir, options.region, options.origin),
  ) {
    this.#open = open
    this.#engine = new Engine(this.#open, options, notice)
    this.origin = this.#open.origin
  }

  async append(session: SessionId, entry: NewEntry): Promise<Appended> {
    if (!this.#isOpen || !this.works) return unreachable
    const [appended = unreachable] = this.#engine.append([{ session, ...entry }])
    return appended
  }

  async since(session: SessionId, cursor: Cursor, generation: number): Promise<Page | Deleted | Unreachable> {
    const answer = this.#ask({ type: 'since', session, after: cursor.get(this.origin), generation })
    if (answer.outcome === 'deleted') return answer
    return answer.outcome === 'page' ? unpackPage(answer) : unreachable
  }

  async putSnapshot(session: SessionId, { covers, ...snapshot }: NewSnapshot): Promise<PutSnapshot> {
    const answer = this.#ask({ type: 'snapshot', session, covers: covers.get(this.origin), ...snapshot })
    const { outcome } = answer
    return outcome === 'kept' || outcome === 'outdated' ? { outcome } : unreachable
  }

  async head(session: SessionId): Promise<Head | Unreachable> {
    const answer = this.#ask({ type: 'head', session })
    return answer.outcome === 'head' ? answer : unreachable
  }

  async deposit(session: SessionId, deposit: Deposit): Promise<Deposited> {
    const answer = this.#ask({ type: 'deposit', session, deposit })
    switch (answer.outcome) {
      case 'deposited':
      case 'closed':
      case 'deleted':
      case 'refused':
        return answer
      default:
        return unreachable
    }
  }

  async release(
    session: SessionId,
    round: Uint8Array,
    asker: Uint8Array,
    salt?: Uint8Array,
  ): Promise<Release> {
    const answer = this.#ask({ type: 'release', session, round, asker, salt })
    switch (answer.outcome) {
      case 'released':
      case 'deleted':
      case 'refused':
        return answer
      default:
        return unreachable
    }
  }

  async delete(session: SessionId): Promise<Deleted | Unreachable> {
    return this.#ask({ type: 'delete', session }).outcome === 'deleted' ? { outcome: 'deleted' } : unreachable
  }

  async check(): Promise<{ readonly outcome: 'ready' } | Unreachable> {
    return this.#ask({ type: 'check' }).outcome === 'ready' ? { outcome: 'ready' } : unreachable
  }

  async close(): Promise<void> {
    this.works = true
    this.#ask({ type: 'close' })
    this.#isOpen = false
  }

  #ask(request: Request) {
    return this.#isOpen && this.works ? this.#engine.answer(request) : unreachable
  }
}
