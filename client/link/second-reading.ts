import * as Y from 'yjs'
import { type Cursor, covers } from '../../shared/cursor.ts'
import { encrypt, envelopeLimits, envelopeOverhead, paddedSize } from '../../shared/envelope.ts'
import { decodeFromRelay, encodeFromClient, subprotocol } from '../../shared/wire.ts'
import { isAcceptable } from './gate.ts'
import { Held } from './held.ts'
import { greet } from './hello.ts'
import type { LinkOptions } from './link-options.ts'
import { LogReader } from './log-reader.ts'

export interface SecondReading {
  readonly update: Uint8Array
  /** The update has everything up to here; undefined when something came only in part, or differently each time. */
  readonly cursor: Cursor | undefined
}

const patience = 20_000
/** Of a relay that gives something else each time. */
const mostReadings = 4

/**
 * Reads the log once more, from the older of the two snapshots that a store keeps and on connections of its own: what the newer one
 * hides is there, and what some relay kept from this device. Where a reading lacks what the one before it had, it is not the only
 * thing that was kept back: the log is read until that is not so. Undefined when it could not be read.
 */
export async function readFromOlder(
  options: LinkOptions,
  url: string,
  { cursor, held }: Pick<LogReader, 'cursor' | 'held'>,
): Promise<SecondReading | undefined> {
  let before = { cursor, held: held.copy() }
  const updates: Uint8Array[] = []
  for (let readings = 0; readings < mostReadings; readings++) {
    const reading = await readOnce(options, url)
    if (!reading) return undefined
    updates.push(reading.update)
    const update = Y.mergeUpdates(updates)
    if (!reading.cursor) return { update, cursor: undefined }
    const now = { cursor: reading.cursor, held: new Held() }
    now.held.add(reading.update)
    if (!covers(now.cursor, before.cursor) || now.held.includes(before.held))
      return { update, cursor: reading.cursor }
    before = now
  }
  return { update: Y.mergeUpdates(updates), cursor: undefined }
}

function readOnce(options: LinkOptions, url: string): Promise<SecondReading | undefined> {
  const reader = new LogReader(options.keys, undefined)
  const updates: Uint8Array[] = []
  const note = (update: Uint8Array | undefined) => {
    if (update) updates.push(update)
  }
  return new Promise((resolve) => {
    const plain = options.connect(url, subprotocol)
    const end = (reading?: SecondReading) => {
      clearTimeout(waiting)
      plain.onmessage = null
      plain.onclose = null
      plain.close()
      resolve(reading)
    }
    const waiting = setTimeout(end, patience)
    const receive = (frame: Uint8Array) => {
      const message = decodeFromRelay(frame)
      switch (message?.type) {
        case 'challenge':
          return greet(message.nonce, { ...options, generation: 1, cursor: new Map() }, (hello) =>
            plain.send(encodeFromClient(hello) as Uint8Array<ArrayBuffer>),
          )
        case 'snapshot':
          return note(reader.readSnapshot(message.envelope))
        case 'entry':
          return note(reader.readEntry(message.envelope))
        case 'released':
          return options.escrow?.released(message.body)
        case 'caughtUp': {
          const isTaking = message.log === 'kept'
          if (!isTaking && message.cursor.size === 0) return end()
          reader.confirm(message.cursor)
          const update = updates.length > 0 ? Y.mergeUpdates(updates) : Uint8Array.of(0, 0)
          // To a log that takes nothing the rest of what came in part is sent anew, and whole, when it takes something again.
          return end({ update, cursor: isTaking ? reader.place?.cursor : reader.cursor })
        }
      }
    }
    plain.binaryType = 'arraybuffer'
    plain.onmessage = ({ data }) => {
      if (data instanceof ArrayBuffer) receive(new Uint8Array(data))
    }
    plain.onerror = () => {} // a close follows
    plain.onclose = () => end()
  })
}

/** The envelope of a snapshot. Undefined when the document fits none, or nobody else would read it: the log stays as it is. */
export function snapshotOf({ keys, doc }: LinkOptions): Uint8Array | undefined {
  const content = Y.encodeStateAsUpdate(doc)
  const fits = paddedSize(content.length + envelopeOverhead) <= envelopeLimits.snapshot
  return fits && isAcceptable(content) ? encrypt(keys, 'snapshot', content) : undefined
}
