import { readConfig } from './config.ts'
import { limitsOf } from './limits.ts'
import { logTo } from './log.ts'
import { Meters } from './meters.ts'
import { startRelay } from './relay.ts'
import { helpText } from './settings-words.ts'
import { SetupError } from './setup-error.ts'
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
  const starting = startRelay(config, report, limitsOf(config), meters)
  // Whoever reads that it listens may stop it at once.
  const stop = () => {
    starting
      .then((relay) => relay.stop())
      .then(
        () => process.exit(0),
        () => {}, // it did not start, which is said below
      )
  }
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
  await starting
}
