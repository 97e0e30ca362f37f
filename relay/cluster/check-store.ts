import { type Store, unreachable } from '../store/store.ts'
import type { Kept } from './kept.ts'
import type { Region } from './region.ts'
import { countAfter } from './streams.ts'

/** A store has applied more of its streams than this in the time that a question waits. */
const nearly = 2_000

interface Checked {
  readonly store: Pick<Kept['store'], 'origin' | 'check'>
  readonly follower: { readonly upTo: number } | undefined
}

/** Whether the store of this process, and no other one, reads its streams, has nearly caught up with them, and can commit. */
export async function checkStore(
  { isConnected, manager }: Pick<Region, 'isConnected' | 'manager'>,
  kept: Iterable<Checked>,
): ReturnType<Store['check']> {
  if (!isConnected) return unreachable
  const checks = await Promise.all(
    [...kept].map(async ({ store, follower }) => {
      const [check, left] = await Promise.all([store.check(), follower ? leftOf(store.origin, follower) : 0])
      return left < nearly ? check : unreachable
    }),
  )
  return checks.find(({ outcome }) => outcome !== 'ready') ?? { outcome: 'ready' }

  /** How much of a stream is still to be read, at most; everything when NATS does not say. */
  async function leftOf(origin: string, { upTo }: { readonly upTo: number }): Promise<number> {
    return await countAfter(manager, origin, upTo).catch(() => Number.POSITIVE_INFINITY)
  }
}
