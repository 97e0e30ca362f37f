import type * as Y from 'yjs'
import type { SealId } from '../../shared/id.ts'
import type { SessionKeys } from '../../shared/keys.ts'
import type { LogPlace } from './log-reader.ts'
import type { PlainSocket } from './plain-socket.ts'

/** What the session's escrow hears. */
export interface EscrowLink {
  /** A store committed the key of this seal's box, or will never. */
  deposited(seal: SealId, kept: boolean): void
  /** The store could not take a key, or release a round's, for now. */
  refused(): void
  /** The keys of a round, as `decodeReleased` reads them. */
  released(body: Uint8Array): void
  /** True while what was released is in no document yet. */
  readonly holds: boolean
}

export interface LinkOptions {
  readonly keys: SessionKeys
  readonly doc: Y.Doc
  /** The page's origin, which the relay checks and the proof of the role is bound to. */
  readonly origin: string
  readonly connect: (url: string, protocol: string) => PlainSocket
  /** Signs with a seed aside, or says that it cannot. */
  readonly sign?: ((message: Uint8Array, seed: Uint8Array) => Promise<Uint8Array | undefined>) | undefined
  /** Where the last visit had read the log to. */
  readonly place: LogPlace | undefined
  /** Called when the place has moved and the document holds everything before it. */
  readonly remember: (place: LogPlace) => void
  readonly changed: () => void
  /** Undefined for a link that only carries changes. */
  readonly escrow?: EscrowLink
  readonly now?: () => number
}
