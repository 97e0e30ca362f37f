import { defineConfig } from '@playwright/test'
import { findBrowser } from './e2e/find-browser.mjs'
import { isRough } from './e2e/network.ts'

const executablePath = findBrowser()
if (!executablePath) throw new Error('No browser found. Get one with: npx playwright install chromium')

// Over a rough network everything takes longer; what is expected stays the same.
const slowness = isRough ? 4 : 1

export default defineConfig({
  testDir: 'e2e',
  projects: [
    { name: 'people', testMatch: '*.spec.ts', testIgnore: 'speed.spec.ts' },
    {
      // Speed is measured when nothing else runs.
      name: 'speed',
      testMatch: 'speed.spec.ts',
      dependencies: ['people'],
      fullyParallel: false,
    },
  ],
  fullyParallel: true,
  // Two more than a small machine has cores: people wait for each other, and for time to pass.
  workers: 4,
  retries: 0,
  forbidOnly: true,
  timeout: 150_000 * slowness,
  expect: { timeout: 10_000 * slowness },
  reporter: 'list',
  use: {
    browserName: 'chromium',
    locale: 'en-GB',
    // Recording a trace costs a quarter more CPU; a test that fails is run again with --trace=on.
    screenshot: 'only-on-failure',
    launchOptions: {
      executablePath,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
})
