/**
 * `node e2e/at-once.mjs types:relay lint build`: runs these scripts of `package.json`, as many at once as there are cores. Each
 * tells what it has to say when it ends; the first that fails ends everything.
 */
import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'

const waiting = process.argv.slice(2)
const running = new Set()

function startNext() {
  const script = waiting.shift()
  if (!script) return
  const child = spawn('npm', ['run', '--silent', script], { stdio: ['ignore', 'pipe', 'pipe'] })
  const said = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => said.push(bytes))
  running.add(child)
  child.on('close', (code) => {
    running.delete(child)
    process.stdout.write(Buffer.concat(said))
    if (code === 0) return startNext()
    console.error(`npm run ${script} failed.`)
    for (const other of running) other.kill()
    process.exit(1)
  })
}

for (let core = 0; core < availableParallelism(); core++) startNext()
