import { once } from 'node:events'
import { createServer } from 'node:net'

/** Below those that a system gives to whoever asks for any (Linux from 32768), and above the last that browsers refuse (10080). */
const [lowest, highest] = [11_000, 32_767]
/** So many processes with pids in a row have ports of their own. */
const processes = 128
const share = Math.floor((highest - lowest) / processes)
let asked = Math.floor(process.pid / processes)

/**
 * A port of this machine for a program that is yet to be started, which may take a second. Meanwhile nobody else gets
 * it: neither a connection or a server on any port, nor another process of the tests that asks here.
 */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < share; tries++) {
    const port = lowest + (asked++ % share) * processes + (process.pid % processes)
    if (await isFree(port)) return port
  }
  throw new Error(`None of ${share} ports between ${lowest} and ${highest} is free`)
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port)
  try {
    await once(server, 'listening')
  } catch {
    return false
  }
  server.close()
  await once(server, 'close')
  return true
}
