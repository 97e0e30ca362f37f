/** Which stories got which card in the sessions of this device, to compare with: what `earlier-stories.ts` reads. */

import type { SessionId } from '../../shared/id.ts'
import { read, write } from './device-storage.ts'

export interface Remembered {
  readonly label: string
  readonly title: string
}

/** Of each session, the latest. */
const most = 300

export function rememberEstimates(session: SessionId, estimates: readonly Remembered[]): void {
  const text = JSON.stringify(estimates.slice(-most).map(({ label, title }) => [label, title.slice(0, 120)]))
  if (text !== (read(memoryOf(session)) ?? '[]')) write(memoryOf(session), text)
}

/** What the device's storage calls it. */
export function memoryOf(session: SessionId): string {
  return `estimates.${session}`
}
