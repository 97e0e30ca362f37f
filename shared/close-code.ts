/**
 * Why a relay ends a connection. 44xx: coming back the same way is pointless, the client tells its person. 45xx: come
 * back after a while and resume by cursor. The words are the relay's, see `relay/connections/close-words.ts`.
 */
export const closeNumbers = {
  malformed: 4400,
  forbidden: 4403,
  deleted: 4410,
  origin: 4404,
  version: 4426,
  tooLarge: 4413,
  lateHello: 4508,
  tooSlow: 4510,
  resume: 4512,
  tooFast: 4529,
  full: 4513,
} as const

export type CloseReason = keyof typeof closeNumbers

export function closeReason(code: number): CloseReason | 'unknown' {
  const found = Object.entries(closeNumbers).find(([, number]) => number === code)
  return found ? (found[0] as CloseReason) : 'unknown'
}
