import { parseArgs } from 'node:util'
import { misused, reasonOf } from './complaint.ts'

const options = {
  as: { type: 'string' },
  column: { type: 'string', multiple: true },
  encoding: { type: 'string' },
  for: { type: 'string' },
  json: { type: 'boolean' },
  name: { type: 'string' },
  out: { type: 'string' },
  retitle: { type: 'boolean' },
  state: { type: 'string' },
  title: { type: 'string' },
  trace: { type: 'boolean' },
  wait: { type: 'string' },
  watch: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

type Values = ReturnType<typeof read>['values']
type Option = keyof Values

/** Which options a command knows, and what it takes besides an invitation. */
const commands = {
  create: ['name', 'title', 'json', 'state', 'trace', 'wait'],
  join: ['name', 'watch', 'json', 'state', 'trace', 'wait'],
  export: ['as', 'for', 'out', 'wait'],
  import: ['column', 'encoding', 'retitle', 'trace', 'wait'],
} as const satisfies Record<string, readonly Option[]>

export type Command = keyof typeof commands

export interface Order {
  readonly command: Command
  /** What was said besides the options. */
  readonly words: readonly string[]
  readonly values: Values
  /** How long a relay may take, in milliseconds. */
  readonly patience: number
}

export function readOrder(said: readonly string[]): Order {
  const { values, positionals } = read(said)
  const [name = '', ...words] = positionals
  const command = (Object.keys(commands) as Command[]).find((each) => each === name)
  if (!command) throw misused(`There is no command "${name}". See facedown --help`)
  const known: readonly Option[] = ['help', ...commands[command]]
  const foreign = (Object.keys(values) as Option[]).find((option) => !known.includes(option))
  if (foreign) throw misused(`facedown ${command} has no option --${foreign}. See facedown --help`)
  return { command, words, values, patience: 1000 * secondsIn(values.wait) }
}

function read(said: readonly string[]) {
  try {
    return parseArgs({ args: [...said], options, allowPositionals: true })
  } catch (error) {
    // Node goes on about positional arguments, which nobody meant.
    throw misused(`${reasonOf(error).split('. To specify')[0]}. See facedown --help`)
  }
}

function secondsIn(text = '10'): number {
  if (/^\d{1,5}$/.test(text) && Number(text) > 0) return Number(text)
  throw misused(`--wait must be a whole number of seconds, but it is "${text}"`)
}
