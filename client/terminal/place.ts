import type { Readable, Writable } from 'node:stream'
import type { CommandTrace } from './trace.ts'

/** A stream that may be a terminal. */
interface Screened {
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
}

/** Where a command runs: what it reads and writes, and what it was given. */
export interface Place {
  readonly input: Readable & Screened
  readonly output: Writable & Screened
  readonly errors: Writable
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Resolves when somebody outside asks the command to end. */
  readonly stopped: Promise<void>
  /** Where the changes of this command are followed, if that was asked for. */
  readonly trace?: CommandTrace | undefined
}

/** Whether somebody sits there, at a terminal that can move its cursor. */
export function isInteractive({ input, output, environment }: Place): boolean {
  return input.isTTY === true && output.isTTY === true && environment.TERM !== 'dumb'
}

/** See no-color.org. */
export function hasColours({ output, environment }: Place): boolean {
  return output.isTTY === true && !environment.NO_COLOR && environment.TERM !== 'dumb'
}
