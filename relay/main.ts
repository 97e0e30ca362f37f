import { limitsOf } from './connections/limits.ts'
import { logTo } from './operators/log.ts'
import { Meters } from './operators/meters.ts'
import { type RunningRelay, startRelay } from './relay.ts'
import { readConfig } from './settings/config.ts'
import { helpText } from './settings/settings-words.ts'
import { SetupError } from './settings/setup-error.ts'
import { version } from './version.ts'

try {
  await obey(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof SetupError)) throw error
  process.stderr.write(`${error.message}.\n`)
  process.exit(1)
}

async function obey(words: readonly string[]): Promise<void> {
  if (words.length === 0 || words.join() === 'start') return run() // `facedown start` ends up here
  if (words.includes('--help')) process.stdout.write(helpText())
  else if (words[0] === '--version') process.stdout.write(`${version}\n`)
  else
    throw new SetupError(
      `The relay does not understand "${words.join(' ')}". It understands --help and --version`,
    )
}

async function run(): Promise<void> {
  const config = readConfig(process.env)
  const meters = new Meters()
  meters.watchProcess()
  const report = logTo((line) => process.stdout.write(line), process.stdout.isTTY ? 'people' : 'programs')
  // The disk of the log is full, or who read it has ended: there is nobody to tell, and people at the relay need not know.
  process.stdout.on('error', () => {})
  let relay: RunningRelay | undefined
  let isStopping = false
  const stop = () => {
    if (!relay) process.exit(0) // what it has begun, such as filling a store, begins anew the next time
    if (!isStopping) relay.stop().then(() => process.exit(0))
    isStopping = true
  }
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
  process.on('SIGHUP', stop) // a terminal that closes says it twice, itself and by its shell
  relay = await startRelay(config, report, limitsOf(config), meters)
}
