import { BareClient } from '../../relay/connections/bare-client.testing.ts'
import { someEnvelope } from '../../relay/testing.ts'
import { type Cursor, covers } from '../../shared/cursor.ts'
import type { SessionKeys } from '../../shared/keys.ts'

/** What a writer knows of an envelope it sent, from least to most. */
export type Level = 'sent' | 'saved' | 'savedTwice'

/** Between two changes, in milliseconds. */
const pace = 120
/** Before it connects again. */
const patience = 400

/** Appends to one session as long as it is told, wherever it can connect, and notes what it was told about each change. */
export class Writer {
  readonly keys: SessionKeys
  /** By their bytes in base64. */
  readonly levels = new Map<string, Level>()
  readonly #urls: readonly string[]
  readonly #over: Promise<void>
  #goesOn = true
  connections = 0

  constructor(keys: SessionKeys, urls: readonly string[]) {
    this.keys = keys
    this.#urls = urls
    this.#over = this.#write()
  }

  count(level: Level): number {
    return [...this.levels.values()].filter((known) => known === level).length
  }

  async stop(): Promise<void> {
    this.#goesOn = false
    await this.#over
  }

  async #write(): Promise<void> {
    for (let at = 0; this.#goesOn; at++) {
      const url = this.#urls[at % this.#urls.length] ?? ''
      const client = await BareClient.join(url, this.keys).catch(() => undefined)
      if (client) await this.#writeBy(client)
      await new Promise((resolve) => setTimeout(resolve, Math.random() * patience))
    }
  }

  async #writeBy(client: BareClient): Promise<void> {
    this.connections++
    /** Saved, and not known to be so in two regions. */
    const waiting = new Map<string, Cursor>()
    let read = 0
    while (this.#goesOn && client.isOpen) {
      const envelope = someEnvelope()
      const name = nameOf(envelope)
      this.levels.set(name, 'sent')
      const answer = await Promise.race([client.save(envelope).catch(() => undefined), silence()])
      if (answer?.type === 'saved') {
        this.levels.set(name, 'saved')
        waiting.set(name, answer.cursor)
      }
      for (; read < client.frames.length; read++) {
        const frame = client.frames[read]
        if (frame?.type !== 'keepalive') continue
        for (const [name, cursor] of waiting) {
          if (frame.elsewhere.size === 0 || !covers(frame.elsewhere, cursor)) continue
          this.levels.set(name, 'savedTwice')
          waiting.delete(name)
        }
      }
      await new Promise((resolve) => setTimeout(resolve, pace * (0.5 + Math.random())))
    }
    if (client.isOpen) await client.leave()
  }
}

/** Acknowledgements that nobody ever got, of which a run therefore proves nothing. Saved twice is saved, too. */
export function neverTold(levels: Iterable<Level>): Level[] {
  const told = new Set(levels)
  if (told.has('savedTwice')) return []
  return told.has('saved') ? ['savedTwice'] : ['saved', 'savedTwice']
}

export function nameOf(envelope: Uint8Array): string {
  return Buffer.from(envelope).toString('base64')
}

/** A relay that was stopped says nothing; it has its chance with the next change. */
async function silence(): Promise<undefined> {
  await new Promise((resolve) => setTimeout(resolve, 8_000))
  return undefined
}
