import { join } from 'node:path'
import { build } from 'vite'
import { bundled } from './bundled.ts'

const top = join(import.meta.dirname, '..')

/** Bundles the relay as `npm run build` does, in a folder of its own that can find the dependencies. */
export async function buildRelay(name: string): Promise<string> {
  const outDir = join(top, 'node_modules', '.cache', name)
  await build({
    root: top,
    configFile: false,
    logLevel: 'error',
    ssr: { noExternal: bundled },
    build: {
      outDir,
      emptyOutDir: true,
      ssr: true,
      target: 'node20',
      rollupOptions: {
        input: {
          main: 'relay/main.ts',
          'store-worker': 'relay/store/store-worker.ts',
          facedown: 'relay/commands/facedown.ts',
        },
        output: { chunkFileNames: '[name]-[hash].js' },
      },
    },
  })
  return join(outDir, 'main.js')
}
