import type { CloseReason } from '../../shared/close-code.ts'
import { t } from '../words/words.svelte.ts'

const refusals = {
  malformed: 'refused.malformed',
  deleted: 'refused.deleted',
  forbidden: 'refused.forbidden',
  origin: 'refused.origin',
  version: 'refused.version',
  tooLarge: 'refused.tooLarge',
} as const satisfies Partial<Record<CloseReason, string>>

/** Why the relay refused a session; in its own words when it is a reason this app does not know. */
export function refusal(reason: string, words: string): string {
  const known = Object.entries(refusals).find(([name]) => name === reason)
  return known ? t(known[1]) : words
}
