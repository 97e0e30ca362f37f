import type { Cursor } from '../../shared/cursor.ts'
import type { Deposit } from '../../shared/escrow.ts'
import type { SessionId } from '../../shared/id.ts'
import { unpackRows } from './batch.ts'
import { markOf } from './hash.ts'
import {
  type Appended,
  type Deleted,
  type Deposited,
  type Head,
  type NewEntry,
  type NewSnapshot,
  type Page,
  type PutSnapshot,
  type Release,
  type Store,
  type Unreachable,
  unreachable,
} from './store.ts'
import type { Answer, PackedPage, Request } from './store-protocol.ts'

/** A store whose engine is asked by requests, wherever it runs: what each call asks, and which answers it takes. */
export abstract class AskedStore implements Store {
  abstract readonly origin: string

  abstract append(session: SessionId, entry: NewEntry): Promise<Appended>
  abstract close(): Promise<void>
  protected abstract ask(request: Request): Promise<Answer>

  async since(session: SessionId, cursor: Cursor, generation: number): Promise<Page | Deleted | Unreachable> {
    const request = { type: 'since', session, after: cursor.get(this.origin), generation } as const
    const answer = await this.#answer(request, 'page', 'deleted')
    return answer.outcome === 'page' ? unpackPage(answer) : answer
  }

  putSnapshot(session: SessionId, { covers, replaces, envelope }: NewSnapshot): Promise<PutSnapshot> {
    const covered = covers.get(this.origin)
    return this.#answer(
      { type: 'snapshot', session, covers: covered, replaces, envelope },
      'kept',
      'outdated',
    )
  }

  head(session: SessionId): Promise<Head | Unreachable> {
    return this.#answer({ type: 'head', session }, 'head')
  }

  deposit(session: SessionId, deposit: Deposit): Promise<Deposited> {
    return this.#answer({ type: 'deposit', session, deposit }, 'deposited', 'closed', 'deleted')
  }

  release(session: SessionId, round: Uint8Array, asker: Uint8Array, salt?: Uint8Array): Promise<Release> {
    return this.#answer({ type: 'release', session, round, asker, salt }, 'released', 'deleted')
  }

  delete(session: SessionId): Promise<Deleted | Unreachable> {
    return this.#answer({ type: 'delete', session }, 'deleted')
  }

  check(): Promise<{ readonly outcome: 'ready' } | Unreachable> {
    return this.#answer({ type: 'check' }, 'ready')
  }

  async #answer<Outcome extends Answer['outcome']>(request: Request, ...outcomes: readonly Outcome[]) {
    const answer = await this.ask(request)
    return isOneOf(answer, [...outcomes, 'refused']) ? answer : unreachable
  }
}

function isOneOf<Outcome extends Answer['outcome']>(
  answer: Answer,
  outcomes: readonly Outcome[],
): answer is Extract<Answer, { readonly outcome: Outcome }> {
  return outcomes.some((outcome) => outcome === answer.outcome)
}

function unpackPage({ resumed, snapshot, rows, upTo, more }: PackedPage): Page {
  const entries = unpackRows(rows).map(({ sequence, checksum, kind, envelope }) => ({
    position: { sequence, mark: markOf(checksum) },
    kind,
    envelope,
  }))
  return { outcome: 'page', resumed, snapshot, entries, upTo, more }
}
