import { existsSync } from 'node:fs'
import { chromium } from '@playwright/test'

const usualPlaces = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
]

/** Playwright's own browser, or one that is installed; CHROMIUM names another. Undefined when there is none. */
export function findBrowser() {
  return [process.env.CHROMIUM, chromium.executablePath(), ...usualPlaces].find(
    (path) => path !== undefined && existsSync(path),
  )
}
