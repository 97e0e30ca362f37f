/** What is remembered of the stories of all sessions of this device. */

import type { SessionId } from '../../shared/id.ts'
import { keptSessions } from './device.ts'
import { keptNames, read, remove } from './device-storage.ts'
import { memoryOf, type Remembered } from './estimate-memory.ts'

const shown = 5

/** A few earlier stories that got this card, of the sessions opened last. */
export function storiesWith(
  label: string,
): { readonly title: string; readonly session: string | undefined }[] {
  const found = keptSessions().flatMap(({ id, name }) =>
    rememberedOf(id)
      .filter((each) => each.label === label && each.title !== '')
      .map(({ title }) => ({ title, session: name }))
      .reverse(),
  )
  return found.slice(0, shown)
}

/** What was remembered of sessions that are no longer on this device. */
export function forgetEstimatesOfOthers(): void {
  const kept = new Set(keptSessions().map(({ id }) => memoryOf(id)))
  for (const name of keptNames()) if (name.startsWith('estimates.') && !kept.has(name)) remove(name)
}

function rememberedOf(session: SessionId): Remembered[] {
  try {
    const kept: unknown = JSON.parse(read(memoryOf(session)) ?? '[]')
    if (!Array.isArray(kept)) return []
    return kept.flatMap((each: unknown) => {
      if (!Array.isArray(each)) return []
      const [label, title] = each as unknown[]
      return typeof label === 'string' && typeof title === 'string' ? [{ label, title }] : []
    })
  } catch {
    return [] // somebody else's entry
  }
}
