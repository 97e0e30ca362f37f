import { defineConfig } from 'vite'

/** The relay's status page is built apart from the app: whoever plays never fetches anything of it. */
export default defineConfig({
  root: import.meta.dirname,
  base: './',
  build: {
    outDir: `${import.meta.dirname}/../../dist/status`,
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
  },
})
