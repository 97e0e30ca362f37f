import type { SessionEvent } from './events.ts'
import type { Lines } from './lines.ts'
import type { Place } from './place.ts'
import type { Seen } from './seen.ts'
import { sentence } from './sentences.ts'

/** Shows a session, and reads what is to be done in it. */
export interface Teller {
  tell(events: readonly SessionEvent[], now: Seen): void
  /** What somebody asked for. */
  answer(text: string): void
  /** Why something cannot be done. */
  complain(text: string): void
  /** Undefined at the end. */
  next(): Promise<string | undefined>
  close(): void
}

/** A line for each event, as words or as JSON: for scripts, logs and whoever reads aloud what comes. */
export function lineTeller({ output, errors }: Place, lines: Lines, json: boolean): Teller {
  return {
    tell(events) {
      for (const event of events) output.write(`${json ? JSON.stringify(event) : sentence(event)}\n`)
    },
    answer(text) {
      output.write(`${json ? JSON.stringify({ event: 'answer', text }) : text}\n`)
    },
    complain(text) {
      errors.write(`${text}\n`)
    },
    next: () => lines.next(),
    close: () => lines.close(),
  }
}
