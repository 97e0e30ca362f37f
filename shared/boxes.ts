import { escrowName, openBox } from './escrow.ts'
import { base32, type SealId } from './id.ts'
import type { SessionKeys } from './keys.ts'
import type { RecordOf } from './record.ts'
import type { Open } from './seal.ts'

/** A release, and what its keys did to the boxes of the round's seals. */
export interface BoxesOpened {
  readonly release: RecordOf<'release'>
  readonly opened: ReadonlyMap<SealId, Open>
  readonly failed: ReadonlySet<SealId>
}

export function openBoxes(
  keys: SessionKeys,
  release: RecordOf<'release'>,
  seals: readonly RecordOf<'seal'>[],
): BoxesOpened {
  const released = new Map(release.keys.map(({ seal, key }) => [base32(seal), key]))
  const opened = new Map<SealId, Open>()
  const failed = new Set<SealId>()
  for (const seal of seals) {
    const key = released.get(base32(escrowName(keys, seal.id)))
    if (!key) continue
    const { session } = keys
    const place = { session, round: seal.round, voter: seal.author, counter: seal.counter }
    const open = openBox(key, place, seal)
    if (open) opened.set(seal.id, open)
    else failed.add(seal.id)
  }
  return { release, opened, failed }
}
