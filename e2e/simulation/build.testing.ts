import { join, relative } from 'node:path'
import { build, type Plugin } from 'vite'

const top = join(import.meta.dirname, '../..')

/** What a simulation has instead of what takes real time, real chance or more work than it needs to. */
const standIns: Readonly<Record<string, string>> = {
  'client/replica/replica.ts': 'e2e/simulation/virtual-replica.ts',
  'client/session/lazy-escrow.ts': 'e2e/simulation/eager-escrow.ts',
  'client/session/lazy-mending.ts': 'e2e/simulation/eager-mending.ts',
  'client/link/lazy-exchange.ts': 'e2e/simulation/eager-exchange.ts',
  'client/link/lazy-second-reading.ts': 'client/link/second-reading.ts',
  'shared/envelope.ts': 'e2e/simulation/quick-envelope.ts',
  'shared/parts.ts': 'e2e/simulation/quick-parts.ts',
  'shared/record.ts': 'e2e/simulation/quick-record.ts',
  'client/link/gate.ts': 'e2e/simulation/quick-gate.ts',
  'lib0/broadcastchannel': 'e2e/simulation/virtual-channel.ts',
  'relay/connections/signature.ts': 'e2e/simulation/quick-signature.ts',
  '@noble/hashes/sha2.js': 'e2e/simulation/native-hashes.ts',
  '@noble/hashes/hmac.js': 'e2e/simulation/native-hashes.ts',
  '@noble/hashes/hkdf.js': 'e2e/simulation/native-hashes.ts',
  '@noble/ed25519': 'shared/native-ed25519.testing.ts',
  'node:crypto': 'e2e/simulation/ruled-crypto.ts',
  'node:timers/promises': 'e2e/simulation/ruled-turns.ts',
}

/**
 * Bundles the simulation, whole: a test runner looks up each import each time it is used, which here was half of all work.
 * Returns the folder of `virtual-globals.js`, which comes first, and `storm.js`.
 */
export async function buildSimulation(name: string): Promise<string> {
  const outDir = join(top, 'node_modules', '.cache', name)
  await build({
    root: top,
    configFile: false,
    logLevel: 'error',
    plugins: [withStandIns()],
    ssr: { noExternal: true, external: ['better-sqlite3'] },
    build: {
      outDir,
      emptyOutDir: true,
      ssr: true,
      target: 'node20',
      minify: false,
      rollupOptions: {
        input: { 'virtual-globals': 'e2e/simulation/virtual-globals.ts', storm: 'e2e/simulation/storm.ts' },
      },
    },
  })
  return outDir
}

/** A stand-in itself gets the real one. What stands in for nothing, because that lies elsewhere by now, is an error. */
function withStandIns(): Plugin {
  const unused = new Set(Object.keys(standIns))
  return {
    name: 'stand-ins',
    enforce: 'pre',
    async resolveId(id, importer, options) {
      if (!importer) return undefined
      const found = await this.resolve(id, importer, { ...options, skipSelf: true })
      const real = [id, found ? relative(top, found.id) : ''].find((name) => name in standIns)
      if (real === undefined) return found
      unused.delete(real)
      const instead = join(top, standIns[real] ?? '')
      return instead === importer ? found : instead
    },
    buildEnd() {
      if (unused.size > 0) this.error(`The simulation has none of ${[...unused].join(', ')}`)
    },
  }
}
