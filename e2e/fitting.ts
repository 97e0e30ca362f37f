import type { Locator } from '@playwright/test'
import { arabic } from './any-language.ts'
import { violationsOf } from './axe.ts'
import { expect } from './people.ts'
import type { Person } from './person.ts'

export async function hasNoViolation(person: Person, where: string, within = 'html'): Promise<void> {
  await expect(person.page.locator(within === 'html' ? 'h1' : within).first()).toBeVisible()
  // What moves is looked at when it has arrived.
  await person.page.waitForFunction(() =>
    document.getAnimations().every((each) => each.playState !== 'running'),
  )
  expect(await violationsOf(person.page, within), `axe finds in ${where}`).toEqual([])
}

export async function hasNoSidewaysScroll(person: Person, where: string): Promise<void> {
  const over = await person.page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
  expect(over, `${where} is ${over}px too wide`).toBeLessThanOrEqual(0)
}

/** Nothing in it can be pushed sideways, and nothing sticks out of it. */
export async function fitsAcross(panel: Locator, where: string): Promise<void> {
  const wrong = await panel.evaluate((root) => {
    const { left, right } = root.getBoundingClientRect()
    const isOut = (element: Element) => {
      const box = element.getBoundingClientRect()
      return box.width > 1 && (box.left < left - 1 || box.right > right + 1)
    }
    const scrolls = (element: Element) =>
      element.scrollWidth > element.clientWidth && /auto|scroll/.test(getComputedStyle(element).overflowX)
    const all = [root, ...root.querySelectorAll('*')]
    return all.filter((each) => isOut(each) || scrolls(each)).map(({ outerHTML }) => outerHTML.slice(0, 200))
  })
  expect(wrong, `${where} is too narrow for`).toEqual([])
}

/** A name that is too long is cut where it ends, whichever way it runs. */
export async function beginsHere({ page }: Person, where: string): Promise<void> {
  const name = page.locator('bdi', { hasText: arabic }).first()
  await expect(name).toBeVisible()
  const cut = await name.evaluate((element) => {
    const [text] = element.childNodes
    const first = document.createRange()
    if (text) first.setStart(text, 0)
    if (text) first.setEnd(text, 1)
    const letter = first.getBoundingClientRect()
    const room = element.parentElement?.getBoundingClientRect()
    return Math.max(letter.right - (room?.right ?? 0), (room?.left ?? 0) - letter.left)
  })
  expect(cut, `${where}: so much is missing where the name begins`).toBeLessThanOrEqual(1)
}

/** Words in Latin or Arabic letters whose end is in another line than their beginning, without a hyphen of theirs. */
export async function hasNoBrokenWord({ page }: Person, where: string): Promise<void> {
  const broken = await page.evaluate(() => {
    const word = /[\p{Script=Latin}\p{Script=Arabic}]+/gu
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    const found: string[] = []
    for (let text = walker.nextNode(); text; text = walker.nextNode()) {
      if (
        !text.parentElement?.checkVisibility() ||
        text.parentElement.closest('.visually-hidden, bdi:not(.label)')
      )
        continue
      for (const { 0: letters, index, input } of text.textContent?.matchAll(word) ?? []) {
        const range = document.createRange()
        // Behind a soft hyphen the first letter has the hyphen's place as well.
        range.setStart(text, input[index - 1] === '\u00ad' ? index + 1 : index)
        range.setEnd(text, index + letters.length)
        const tops = [...range.getClientRects()].map(({ top }) => Math.round(top))
        if (new Set(tops).size > 1) found.push(letters)
      }
    }
    return found
  })
  expect(broken, `${where}: these words are broken`).toEqual([])
}
