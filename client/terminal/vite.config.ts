import { join } from 'node:path'
import { defineConfig } from 'vite'

const top = join(import.meta.dirname, '..', '..')

/** Built apart, into the relay's folder, where `facedown` finds it: what reads sessions is in no file that a relay loads. */
export default defineConfig({
  root: top,
  build: {
    outDir: join(top, 'dist/relay/terminal'),
    emptyOutDir: true,
    ssr: true,
    target: 'node20',
    rollupOptions: { input: { obey: 'client/terminal/obey.ts' } },
  },
})
