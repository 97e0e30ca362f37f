import { sha256 } from '@noble/hashes/sha2.js'
import { utf8ToBytes } from '@noble/hashes/utils.js'
import { onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import type { PlainSocket } from '../../client/link/plain-socket.ts'
import { SessionCore } from '../../client/session/core.ts'
import type { SessionKeys } from '../../shared/keys.ts'

/** The whole client of one person, without a screen and in memory, at a real relay. */
export async function seat(name: string, keys: SessionKeys, relay: () => string): Promise<SessionCore> {
  const origin = relay()
  const core = new SessionCore({
    keys,
    seed: sha256(utf8ToBytes(name)),
    rememberedName: name,
    // Of their own, or they would hear each other as tabs of one browser do.
    base: `${origin}/${name}/`,
    connect: (url, protocol) => {
      const own = url.replace(`/${name}/`, '/')
      return new WebSocket(own, protocol, { origin, perMessageDeflate: false }) as unknown as PlainSocket
    },
    rememberEstimates: () => {},
    remember: () => {},
  })
  onTestFinished(() => core.close())
  await core.start()
  return core
}
