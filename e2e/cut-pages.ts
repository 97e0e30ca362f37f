import type { Page } from '@playwright/test'

/** Over a rough network a connection may break before a page is there at all. The browser says so, and whoever sees it reloads. */
export function reloadWhenCut(page: Page): void {
  const [goto, reload] = [page.goto.bind(page), page.reload.bind(page)]
  page.goto = (url, options) => untilItComes(() => goto(url, options))
  page.reload = (options) => untilItComes(() => reload(options))
}

/** A page of the browser's own about the first cut may come in between the second try. */
async function untilItComes<Answer>(open: () => Promise<Answer>): Promise<Answer> {
  for (let cuts = 0; ; cuts++) {
    try {
      return await open()
    } catch (error) {
      if (
        cuts === 8 ||
        !/ERR_(CONNECTION_RESET|EMPTY_RESPONSE|CONTENT_LENGTH_MISMATCH)|chrome-error:/.test(String(error))
      )
        throw error
    }
  }
}
