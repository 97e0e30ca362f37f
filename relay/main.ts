import { readConfig } from './config.ts'
import { startRelay } from './relay.ts'
import { reportTo } from './report.ts'
import { SetupError } from './setup-error.ts'

try {
  const relay = await startRelay(
    readConfig(process.env),
    reportTo((line) => process.stdout.write(line)),
  )
  const stop = () => void relay.stop().then(() => process.exit(0))
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
} catch (error) {
  if (!(error instanceof SetupError)) throw error
  process.stderr.write(`${error.message}.\n`)
  process.exit(1)
}
