import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vitest/config'

const top = import.meta.dirname

/** `vite build` makes the client, `vite build --ssr` the relay. */
export default defineConfig(({ isSsrBuild }) => ({
  root: isSsrBuild ? top : `${top}/client`,
  base: './',
  plugins: [svelte()],
  build: isSsrBuild
    ? {
        outDir: `${top}/dist/relay`,
        ssr: true,
        target: 'node20',
        rollupOptions: { input: { main: 'relay/main.ts', 'store-worker': 'relay/store-worker.ts' } },
      }
    : { outDir: `${top}/dist/client`, emptyOutDir: true, target: 'es2022' },
  test: {
    projects: [
      { root: top, test: { name: 'shared', include: ['shared/**/*.test.ts'] } },
      { root: top, test: { name: 'relay', include: ['relay/**/*.test.ts'], testTimeout: 20_000 } },
      {
        root: top,
        plugins: [svelte()],
        resolve: { conditions: ['browser'] },
        test: { name: 'client', include: ['client/**/*.test.ts'], testTimeout: 20_000 },
      },
    ],
  },
}))
