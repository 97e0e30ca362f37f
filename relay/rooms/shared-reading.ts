import { type Cursor, encodeCursorBytes } from '../../shared/cursor.ts'
import type { Deleted, Pages, Unreachable } from '../store/store.ts'

/** So long an answer may be given again, in milliseconds. A crowd comes at once or not at all. */
const freshMs = 2_000
/** And so many different ones at most. */
const most = 4

/** Hears of every question whether a store has to read for it. */
export type Asked = (from: 'shared' | 'store') => void

type Answer = Pages | Deleted | Unreachable

interface Reading {
  readonly answer: Promise<Answer>
  readonly timer: NodeJS.Timeout
}

/**
 * Many who come to a session at the same moment, or back to it, ask the same: they share one reading of the log, as long as nothing
 * was said since it began.
 */
export class SharedReading {
  readonly #read: (cursor: Cursor, generation: number) => Promise<Answer>
  readonly #asked: Asked
  readonly #under = new Map<string, Reading>()

  constructor(read: (cursor: Cursor, generation: number) => Promise<Answer>, asked: Asked = () => {}) {
    this.#read = read
    this.#asked = asked
  }

  since(cursor: Cursor, generation: number): Promise<Answer> {
    const question = `${generation} ${Buffer.from(encodeCursorBytes(cursor)).toString('latin1')}`
    const known = this.#under.get(question)
    this.#asked(known ? 'shared' : 'store')
    if (known) return known.answer
    const forget = () => {
      if (this.#under.get(question) === reading) this.#forget(question, reading)
    }
    const answer = this.#read(cursor, generation).then((answer) => {
      if (answer.outcome !== 'pages') forget()
      return answer
    })
    const reading = { answer, timer: setTimeout(forget, freshMs).unref() }
    const [oldest] = this.#under
    if (oldest && this.#under.size >= most) this.#forget(...oldest)
    this.#under.set(question, reading)
    return answer
  }

  /** Something was said that answers so far may not have. */
  outdate(): void {
    if (this.#under.size === 0) return // a loop takes new memory even then
    for (const reading of this.#under) this.#forget(...reading)
  }

  /** Its timer, too, would keep what was read. */
  #forget(question: string, { timer }: Reading): void {
    clearTimeout(timer)
    this.#under.delete(question)
  }
}
