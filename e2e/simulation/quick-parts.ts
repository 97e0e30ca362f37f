import { decodePart as reallyDecodePart } from '../../shared/parts.ts'
import { onceForObject } from './read-once.ts'

// Stands for `shared/parts.ts`.
export * from '../../shared/parts.ts'

export const decodePart = onceForObject(reallyDecodePart)
