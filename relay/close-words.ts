import { type CloseReason, closeNumbers } from '../shared/close-code.ts'

/** They reach the person or their operator as they stand. */
const words: Record<CloseReason, string> = {
  malformed: 'This app and the relay do not understand each other. Reload the page.',
  forbidden: 'The relay does not accept this invitation. Ask for the link again.',
  deleted:
    'This session was deleted from the relay by its owner. Your device keeps its copy; you can save that as a file.',
  origin: 'The relay does not serve this address. Its operator can add it to ORIGINS.',
  version: 'This app and the relay have different versions. Reload the page.',
  tooLarge: 'A change was larger than the relay accepts.',
  lateHello: 'The relay waited too long for the first message.',
  tooSlow: 'The connection could not keep up; it resumes where it stopped.',
  resume: 'The relay asks to resume from the log.',
  tooFast: 'Too many messages in a short time; the relay asks for a pause.',
  full: 'The relay has as many connections as it can serve; try again later.',
}

function closing(reason: CloseReason): { readonly code: number; readonly words: string } {
  return { code: closeNumbers[reason], words: words[reason] }
}

export const closeCodes = {
  malformed: closing('malformed'),
  forbidden: closing('forbidden'),
  deleted: closing('deleted'),
  origin: closing('origin'),
  version: closing('version'),
  tooLarge: closing('tooLarge'),
  lateHello: closing('lateHello'),
  tooSlow: closing('tooSlow'),
  resume: closing('resume'),
  tooFast: closing('tooFast'),
  full: closing('full'),
} as const
