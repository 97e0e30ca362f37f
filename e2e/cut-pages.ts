import { setTimeout as wait } from 'node:timers/promises'
import type { Page } from '@playwright/test'

/** Over a rough network a connection may break before a page is there at all. The browser says so, and whoever sees it reloads. */
export function reloadWhenCut(page: Page): void {
  const [goto, reload] = [page.goto.bind(page), page.reload.bind(page)]
  page.goto = (url, options) => untilItComes(() => goto(url, options))
  page.reload = (options) => untilItComes(() => reload(options))
}

/** The browser shows a page of its own about a cut, and tries again by itself, in between. */
async function untilItComes<Answer>(open: () => Promise<Answer>): Promise<Answer> {
  for (let cuts = 0; ; cuts++) {
    try {
      return await open()
    } catch (error) {
      if (
        cuts === 8 ||
        !/ERR_(CONNECTION_RESET|EMPTY_RESPONSE|CONTENT_LENGTH_MISMATCH)|interrupted by another navigation/.test(
          String(error),
        )
      )
        throw error
      // At once it would collide with the browser's own attempt again.
      await wait(500)
    }
  }
}
