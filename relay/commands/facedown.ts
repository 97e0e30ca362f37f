#!/usr/bin/env node
import { constants, setPriority } from 'node:os'
import { parseArgs } from 'node:util'
import { readSetting } from '../settings/config.ts'
import { SetupError } from '../settings/setup-error.ts'
import { version } from '../version.ts'
import { codes, failureOf } from './failure.ts'

const help = `facedown start                     runs the relay, with settings from the environment
         --help                    lists the settings
facedown backup <folder>           adds a backup of DATA_DIR to a folder, while the relay runs or not
         --keep <number>           how many backups stay there (7)
facedown restore <folder>          puts the newest backup in the place of what is in DATA_DIR; stop the relay before
         --backup <name>           another one, named like its manifest
facedown check                     reads every row in DATA_DIR and says whether all are whole
facedown check <folder>            reads every piece of the backups in a folder
facedown stats                     counts and sizes; nothing of it identifies a session
         --json                    the same for programs
facedown who                       the relays and stores that the NATS at NATS_URL knows, and how they are
         --json                    the same for programs
facedown --version                 which version this is

Instead of a folder: s3://bucket or s3://bucket/folder, in Amazon's S3 or wherever AWS_ENDPOINT_URL says. AWS_ACCESS_KEY_ID and
AWS_SECRET_ACCESS_KEY say who asks, AWS_SESSION_TOKEN belongs to lent ones, AWS_REGION is us-east-1 unless set.

DATA_DIR is the relay's data folder (./data). A command ends with 0, with 1 when it could not do what it was asked for,
and with 2 when something is damaged.

For people in a session, wherever its relay is; each has a --help of its own:

facedown create <address>          makes a session at a relay and prints the invitation
facedown join <invitation>         watches and votes
facedown export <invitation>       prints the stories with their estimates
facedown import <invitation> <file> adds stories
`

/** They are no business of a relay, whose program loads nothing of them. */
const forPeople: readonly (string | undefined)[] = ['create', 'join', 'export', 'import']

/** What the build makes of `client/terminal/obey.ts`. */
async function obey(words: string[]): Promise<number> {
  const entry = new URL('./terminal/obey.js', import.meta.url).href
  const terminal: { obey(words: string[]): Promise<number> } = await import(/* @vite-ignore */ entry)
  return terminal.obey(words)
}

const options = {
  keep: { type: 'string' },
  backup: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
} as const

type Values = ReturnType<typeof read>['values']

/** Which options a command knows, and how many words it takes. */
const commands: Record<string, { options: readonly (keyof Values)[]; least: number; most: number }> = {
  start: { options: [], least: 0, most: 0 },
  backup: { options: ['keep'], least: 1, most: 1 },
  restore: { options: ['backup'], least: 1, most: 1 },
  check: { options: [], least: 0, most: 1 },
  stats: { options: ['json'], least: 0, most: 0 },
  who: { options: ['json'], least: 0, most: 0 },
}

function read(words: string[]) {
  try {
    return parseArgs({ args: words, options, allowPositionals: true })
  } catch (error) {
    // Node goes on about positional arguments, which nobody meant.
    const [reason] = (error instanceof Error ? error.message : String(error)).split('. To specify')
    throw new SetupError(`${reason}. See facedown --help`)
  }
}

async function run(words: string[]): Promise<number | undefined> {
  if (forPeople.includes(words[0])) return obey(words)
  const { values, positionals } = read(words)
  const [command = '', ...rest] = positionals
  if (values.version || command === 'version') return tell(`${version}\n`)
  if (values.help && command === 'start')
    return tell((await import('../settings/settings-words.ts')).helpText())
  if (values.help || command === 'help' || words.length === 0) return tell(help)
  const known = Object.hasOwn(commands, command) ? commands[command] : undefined
  if (!known) throw new SetupError(`There is no command "${command}". See facedown --help`)
  const foreign = (Object.keys(values) as (keyof Values)[]).find((name) => !known.options.includes(name))
  if (foreign) throw new SetupError(`facedown ${command} has no option --${foreign}. See facedown --help`)
  const [folder = ''] = rest
  if (rest.length < known.least)
    throw new SetupError(`facedown ${command} needs a folder, or s3://bucket/folder`)
  if (rest.length > known.most)
    throw new SetupError(`facedown ${command} does not know what "${rest.at(-1)}" is for`)
  if (command === 'start') {
    await import('../main.ts')
    return undefined
  }
  setPriority(constants.priority.PRIORITY_LOW) // people at the relay come first
  if (command === 'who') {
    const natsUrl = readSetting(process.env, 'natsUrl')
    if (!natsUrl) throw new SetupError('facedown who needs NATS_URL, the address of a NATS of the region')
    const { tellWho } = await import('./who.ts')
    return tell(`${await tellWho(natsUrl, values.json ?? false)}\n`)
  }
  const dataDir = readSetting(process.env, 'dataDir')
  const tasks = await import('./tasks.ts')
  switch (command) {
    case 'backup':
      return finish(await tasks.tellBackup(dataDir, folder, keepOf(values.keep)))
    case 'restore':
      return finish(await tasks.tellRestore(dataDir, folder, values.backup))
    case 'check':
      return finish(folder ? await tasks.tellCheckOfBackups(folder) : tasks.tellCheck(dataDir))
    default:
      return finish(tasks.tellStats(dataDir, values.json ?? false))
  }
}

function keepOf(text = '7'): number {
  const keep = /^\d{1,5}$/.test(text) ? Number(text) : 0
  if (keep >= 1) return keep
  throw new SetupError(`--keep must be a whole number from 1 to 99999, but it is "${text}"`)
}

function finish({ words, damaged }: { readonly words: string; readonly damaged: boolean }): number {
  tell(`${words}\n`)
  return damaged ? codes.damaged : codes.done
}

function tell(words: string): number {
  process.stdout.write(words)
  return codes.done
}

try {
  const code = await run(process.argv.slice(2))
  if (code !== undefined) process.exitCode = code
} catch (error) {
  const failure = failureOf(error)
  if (!failure) throw error
  process.stderr.write(`${failure.words}.\n`)
  process.exitCode = failure.code
}
