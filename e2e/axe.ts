import type { Page } from '@playwright/test'
import axe from 'axe-core'

declare global {
  interface Window {
    readonly axe: typeof axe
  }
}

/** What axe finds wrong within an element: the rules, each with where. The app has no frames, and a document gets axe once. */
export async function violationsOf(page: Page, within: string): Promise<[rule: string, where: string[]][]> {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe.source)
  return page.evaluate(async (within) => {
    // Of what it finds right, nothing is gathered or sent.
    const { violations } = await window.axe.run({ include: within }, { resultTypes: ['violations'] })
    return violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html.slice(0, 200))])
  }, within)
}
