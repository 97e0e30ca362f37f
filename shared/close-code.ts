/**
 * Why a relay ends a connection. 44xx: coming back the same way is pointless, the client tells its person. 45xx: come
 * back after a while and resume by cursor. The words reach the person or their operator as they stand.
 */
export const closeCodes = {
  malformed: { code: 4400, words: 'This app and the relay do not understand each other. Reload the page.' },
  forbidden: { code: 4403, words: 'The relay does not accept this invitation. Ask for the link again.' },
  deleted: {
    code: 4410,
    words:
      'This session was deleted from the relay by its owner. Your device keeps its copy; you can save that as a file.',
  },
  origin: { code: 4404, words: 'The relay does not serve this address. Its operator can add it to ORIGINS.' },
  version: { code: 4426, words: 'This app and the relay have different versions. Reload the page.' },
  tooLarge: { code: 4413, words: 'A change was larger than the relay accepts.' },
  lateHello: { code: 4508, words: 'The relay waited too long for the first message.' },
  tooSlow: { code: 4510, words: 'The connection could not keep up; it resumes where it stopped.' },
  resume: { code: 4512, words: 'The relay asks to resume from the log.' },
  tooFast: { code: 4529, words: 'Too many messages in a short time; the relay asks for a pause.' },
  full: { code: 4513, words: 'The relay has as many connections as it can serve; try again later.' },
} as const

export type CloseReason = keyof typeof closeCodes

export function closeReason(code: number): CloseReason | 'unknown' {
  const found = Object.entries(closeCodes).find(([, close]) => close.code === code)
  return found ? (found[0] as CloseReason) : 'unknown'
}
