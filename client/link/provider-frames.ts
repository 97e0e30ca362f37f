/** The frames that y-websocket's provider speaks (y-protocols' PROTOCOL.md), as far as a server needs them. */
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'

export type ProviderFrame =
  | { readonly type: 'question'; readonly stateVector: Uint8Array }
  /** Everything that comes after the state vector it was asked with. */
  | { readonly type: 'answer'; readonly update: Uint8Array }
  | { readonly type: 'update'; readonly update: Uint8Array }
  | { readonly type: 'awareness'; readonly entries: readonly AwarenessEntry[] }
  | { readonly type: 'other' }

export interface AwarenessEntry {
  readonly client: number
  readonly clock: number
  /** JSON; `null` says that the client is gone. */
  readonly state: string
}

const sync = 0
const awareness = 1
const [step1, step2, update] = [0, 1, 2]

/** Throws for bytes that no provider writes: both ends are in this page. */
export function decodeProviderFrame(frame: Uint8Array): ProviderFrame {
  const decoder = decoding.createDecoder(frame)
  const kind = decoding.readVarUint(decoder)
  if (kind === awareness) {
    const inner = decoding.createDecoder(decoding.readVarUint8Array(decoder))
    const entries = Array.from({ length: decoding.readVarUint(inner) }, () => ({
      client: decoding.readVarUint(inner),
      clock: decoding.readVarUint(inner),
      state: decoding.readVarString(inner),
    }))
    return { type: 'awareness', entries }
  }
  if (kind !== sync) return { type: 'other' }
  const step = decoding.readVarUint(decoder)
  const bytes = decoding.readVarUint8Array(decoder)
  if (step === step1) return { type: 'question', stateVector: bytes }
  return { type: step === step2 ? 'answer' : 'update', update: bytes }
}

export function question(stateVector: Uint8Array): Uint8Array {
  return syncFrame(step1, stateVector)
}

/** After an answer the provider counts as synced. */
export function answer(bytes: Uint8Array): Uint8Array {
  return syncFrame(step2, bytes)
}

export function updateFrame(bytes: Uint8Array): Uint8Array {
  return syncFrame(update, bytes)
}

export function awarenessFrame(entries: readonly AwarenessEntry[]): Uint8Array {
  return encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, awareness)
    encoding.writeVarUint8Array(
      encoder,
      encoding.encode((inner) => {
        encoding.writeVarUint(inner, entries.length)
        for (const entry of entries) {
          encoding.writeVarUint(inner, entry.client)
          encoding.writeVarUint(inner, entry.clock)
          encoding.writeVarString(inner, entry.state)
        }
      }),
    )
  })
}

function syncFrame(step: number, bytes: Uint8Array): Uint8Array {
  return encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, sync)
    encoding.writeVarUint(encoder, step)
    encoding.writeVarUint8Array(encoder, bytes)
  })
}
