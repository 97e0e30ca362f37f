import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { compileMessageOrThrow } from '@lingui/message-utils/compileMessage'
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { minify } from 'terser'
import type { Plugin } from 'vite'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'
import { bundled } from './relay/bundled.ts'
import { compressFolder } from './relay/http/compress.ts'

const top = import.meta.dirname
const measured = 'e2e/{faults/{attack,disk,kill},cluster/{upgrade,killed-relay},alerts/silent}.test.ts'
/** Tests start the relay, and the thread of its store, from what is built once for them. */
const built = { globalSetup: ['relay/built.testing.ts'] }
const thread = {
  find: /^\.{1,2}\/store-thread\.ts$/,
  replacement: `${top}/relay/store/store-thread.testing.ts`,
}
const withThread = { root: top, resolve: { alias: [thread] } }
const relay = `http://localhost:${process.env.PORT ?? 8787}`

/** Vitest begins with large files. The storms are small ones, and work longest: the others find time beside them for what they wait for. */
class StormsFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const isStorm = ({ moduleId }: TestSpecification) => /\/storm-(even|odd)-seeds\.test\.ts$/.test(moduleId)
    return [...sorted.filter(isStorm), ...sorted.filter((file) => !isStorm(file))]
  }
}

/** `vite build` makes the client, `vite build --ssr` the relay. */
export default defineConfig(({ isSsrBuild }) => ({
  root: isSsrBuild ? top : `${top}/client`,
  base: './',
  resolve: isSsrBuild ? {} : { alias: { 'lib0/logging': `${top}/client/plain-logging.ts` } },
  plugins: [
    partsAgain(),
    catalogs(),
    svelte(),
    minifiedAgain(),
    sessionPage(),
    serviceWorker(),
    compressed(),
  ],
  ssr: { noExternal: bundled },
  build: isSsrBuild
    ? {
        outDir: `${top}/dist/relay`,
        ssr: true,
        target: 'node20',
        rollupOptions: {
          input: {
            main: 'relay/main.ts',
            'store-worker': 'relay/store/store-worker.ts',
            facedown: 'relay/commands/facedown.ts',
          },
          // All in one folder: files find each other, and the client's, by where they lie.
          output: { chunkFileNames: '[name]-[hash].js' },
        },
      }
    : {
        outDir: `${top}/dist/client`,
        emptyOutDir: true,
        target: 'es2022',
        modulePreload: { polyfill: false, resolveDependencies: withItself },
        rollupOptions: {
          input: { index: `${top}/client/index.html`, 'service-worker': `${top}/client/service-worker.ts` },
          output: {
            // What every visit needs, in one piece: it compresses better than a file for each panel that shares some of it.
            codeSplitting: { groups: [{ name: 'core', test: isCore }] },
            entryFileNames: (chunk) =>
              chunk.name === 'service-worker' ? '[name].js' : 'assets/[name]-[hash].js',
          },
        },
      },
  server: { proxy: { '/sync': { target: relay, ws: true }, '/config.json': relay } },
  test: {
    // Two are for the storms, which give way. Of the others one more than there are cores: many wait for a relay, or for time to pass, more than they work.
    maxWorkers: availableParallelism() + 3,
    sequence: { sequencer: StormsFirst },
    projects: [
      { root: top, test: { name: 'shared', include: ['shared/**/*.test.ts'], testTimeout: 120_000 } },
      {
        ...withThread,
        test: { ...built, name: 'relay', include: ['relay/**/*.test.ts'], testTimeout: 60_000 },
      },
      {
        ...withThread,
        test: {
          globalSetup: [...built.globalSetup, 'e2e/simulation/built.testing.ts'],
          name: 'e2e',
          include: ['e2e/**/*.test.ts'],
          exclude: [measured],
          testTimeout: 60_000,
          execArgv: ['--max-semi-space-size=64'], // the simulation makes much that is soon forgotten
        },
      },
      {
        // What takes the time of a relay, or of what it bears, runs alone and after everything else.
        ...withThread,
        test: {
          ...built,
          name: 'faults',
          include: [measured],
          testTimeout: 60_000,
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
      {
        root: top,
        plugins: [catalogs(), svelte()],
        resolve: { conditions: ['browser'] },
        test: {
          name: 'client',
          include: ['client/**/*.test.ts'],
          setupFiles: ['client/words/words.testing.ts'],
          testTimeout: 60_000,
        },
      },
    ],
  },
}))

/** Parses the messages here, so that no browser has to. What a language does not say yet is said in English. */
function catalogs(): Plugin {
  return {
    name: 'catalogs',
    enforce: 'pre',
    transform: {
      filter: { id: /\/client\/locales\/[^/]+\/(table|panels)\.json$/ },
      handler(text, id) {
        const english = id.replace(/[^/]+(?=\/\w+\.json$)/, 'en')
        this.addWatchFile(english)
        const messages: Record<string, string> = {
          ...JSON.parse(readFileSync(english, 'utf8')),
          ...JSON.parse(text),
        }
        const compiled = Object.entries(messages).map(([key, message]) => [
          key,
          compileMessageOrThrow(message),
        ])
        return { code: JSON.stringify(Object.fromEntries(compiled)), map: null }
      },
    },
  }
}

/** The libraries and rules of the first load; what comes with panels stays with them. */
function isCore(id: string): boolean {
  const later =
    /papaparse|canvas-confetti|uqr|svelte\/src\/animate|\/(archive|chronicle|statistics|session-file|deck-draft|depositor|session\/(auto-reveal|escrow|mending|restoring|bring-in)|shared\/polling|replica\/forgotten|link\/(state-\w+|second-reading|update-pieces|polling-socket|slow-way|regions))\.ts/
  const core =
    /\/node_modules\/|\/shared\/|\/client\/(session|link|replica|locales\/[a-z]+\.ts|locales\/en\/table)|\/client\/ui\/(icon|button|popover|lazy|toast|motion)|\/client\/(device\/(device|device-storage|estimate-memory|preferences)|fetching\/(fetch-part|update)|visit\/(router|visit)|words\/(words|formats))\b[^/]*\.ts$/
  return core.test(id) && !later.test(id)
}

/** Vite leaves a part without any dependency to its import. `fetchPart` is to know of every file, so that none is imported that did not come. */
function withItself(file: string, needed: string[], { hostType }: { hostType: 'html' | 'js' }): string[] {
  return hostType === 'html' || needed.includes(file) ? needed : [file, ...needed]
}

/** Puts our way to fetch a part around every `import()`, in the place of Vite's, which tries once. `e2e/mistakes.spec.ts` notices. */
function partsAgain(): Plugin {
  return {
    name: 'parts-again',
    enforce: 'pre',
    load: {
      filter: { id: /^\0vite\/preload-helper\.js$/ },
      handler: () =>
        `export { fetchPart as __vitePreload } from ${JSON.stringify(`${top}/client/fetching/fetch-part.ts`)}`,
    },
  }
}

/** After Vite's own minifier: what that leaves becomes a fiftieth smaller as it is sent, and neither does as well alone. */
function minifiedAgain(): Plugin {
  return {
    name: 'minified-again',
    apply: 'build',
    async generateBundle(_, bundle) {
      if (this.environment.name !== 'client') return
      for (const chunk of Object.values(bundle)) {
        if (chunk.type !== 'chunk') continue
        const { code } = await minify(chunk.code, { module: true, ecma: 2022, compress: { passes: 2 } })
        chunk.code = code ?? chunk.code
      }
    },
  }
}

/** Sessions live one folder below the app, so their page is the same with another base address. */
function sessionPage(): Plugin {
  const below = (html: string) => html.replace('<base href="./" />', '<base href="../" />')
  return {
    name: 'session-page',
    enforce: 'post',
    transformIndexHtml: {
      order: 'post',
      handler: (html, { originalUrl }) => (originalUrl?.startsWith('/s/') ? below(html) : html),
    },
    generateBundle: {
      order: 'post',
      handler(_, bundle) {
        const page = bundle['index.html']
        if (page?.type !== 'asset') return
        this.emitFile({ type: 'asset', fileName: 'session.html', source: below(String(page.source)) })
      },
    },
  }
}

/** Tells the service worker which files there are, and makes it a new one whenever any of them changes. */
function serviceWorker(): Plugin {
  return {
    name: 'service-worker',
    enforce: 'post',
    generateBundle: {
      order: 'post',
      handler(_, bundle) {
        const worker = bundle['service-worker.js']
        if (worker?.type !== 'chunk') return
        const built = Object.keys(bundle).filter((file) => file !== worker.fileName && !file.endsWith('.map'))
        const files = [...new Set([...built, 'session.html', ...readdirSync(`${top}/client/public`)])].sort()
        const hash = createHash('sha256').update(files.join()).update(worker.code)
        for (const asset of Object.values(bundle))
          hash.update(asset.type === 'asset' ? asset.source : asset.code)
        worker.code = worker.code
          .replaceAll('__FILES__', JSON.stringify(files))
          .replaceAll('__VERSION__', JSON.stringify(hash.digest('hex').slice(0, 16)))
      },
    },
  }
}

/** Beside each file the relay hands out, so that it can do so as soon as it runs. */
function compressed(): Plugin {
  return {
    name: 'compressed',
    apply: 'build',
    enforce: 'post',
    async closeBundle() {
      if (this.environment.name === 'client') await compressFolder(`${top}/dist/client`)
    },
  }
}
