import { existsSync } from 'node:fs'
import { chromium } from '@playwright/test'

/** Without windows and toolbars around the pages, a test takes half of the work. */
export const shellOnDebian = '/usr/bin/chromium-headless-shell'

const usualPlaces = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
]

/** The shell, Playwright's own browser, or one that is installed; CHROMIUM names another. Undefined when there is none. */
export function findBrowser() {
  return [process.env.CHROMIUM, shellOnDebian, chromium.executablePath(), ...usualPlaces].find(
    (path) => path !== undefined && existsSync(path),
  )
}
