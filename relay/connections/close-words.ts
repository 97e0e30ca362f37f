import { type CloseReason, closeNumbers } from '../../shared/close-code.ts'

/** The words reach the person or their operator as they stand. */
export const closeCodes = {
  malformed: closing('malformed', 'This app and the relay do not understand each other. Reload the page.'),
  forbidden: closing('forbidden', 'The relay does not accept this invitation. Ask for the link again.'),
  deleted: closing(
    'deleted',
    'This session was deleted from the relay by its owner. Your device keeps its copy; you can save that as a file.',
  ),
  origin: closing('origin', 'The relay does not serve this address. Its operator can add it to ORIGINS.'),
  version: closing('version', 'This app and the relay have different versions. Reload the page.'),
  tooLarge: closing('tooLarge', 'A change was larger than the relay accepts.'),
  lateHello: closing('lateHello', 'The relay waited too long for the first message.'),
  tooSlow: closing('tooSlow', 'The connection could not keep up; it resumes where it stopped.'),
  resume: closing('resume', 'The relay asks to resume from the log.'),
  tooFast: closing('tooFast', 'Too many messages in a short time; the relay asks for a pause.'),
  full: closing('full', 'The relay has as many connections as it can serve; try again later.'),
} satisfies Record<CloseReason, Closing>

interface Closing {
  readonly code: number
  readonly words: string
}

function closing(reason: CloseReason, words: string): Closing {
  return { code: closeNumbers[reason], words }
}
