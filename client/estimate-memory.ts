/** Which stories got which card in the sessions of this device, to compare with. */

import type { SessionId } from '../shared/id.ts'
import { keptSessions } from './device.ts'
import { keptNames, read, remove, write } from './device-storage.ts'

export interface Remembered {
  readonly label: string
  readonly title: string
}

/** Of each session, the latest. */
const most = 300
const shown = 5

export function rememberEstimates(session: SessionId, estimates: readonly Remembered[]): void {
  const text = JSON.stringify(estimates.slice(-most).map(({ label, title }) => [label, title.slice(0, 120)]))
  if (text !== (read(nameOf(session)) ?? '[]')) write(nameOf(session), text)
}

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
  const kept = new Set(keptSessions().map(({ id }) => nameOf(id)))
  for (const name of keptNames()) if (name.startsWith('estimates.') && !kept.has(name)) remove(name)
}

function rememberedOf(session: SessionId): Remembered[] {
  try {
    const kept: unknown = JSON.parse(read(nameOf(session)) ?? '[]')
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

function nameOf(session: SessionId): string {
  return `estimates.${session}`
}
