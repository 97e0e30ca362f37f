import { isAcceptable as reallyIsAcceptable } from '../../client/link/gate.ts'
import { onceForObject } from './read-once.ts'

// Stands for `client/link/gate.ts`.
export * from '../../client/link/gate.ts'

const isAcceptableFromOutside = onceForObject((update) => reallyIsAcceptable(update))

export const isAcceptable: typeof reallyIsAcceptable = (update, from = 'outside') =>
  from === 'outside' ? isAcceptableFromOutside(update) : reallyIsAcceptable(update, from)
