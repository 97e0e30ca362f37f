import { expect } from './people.ts'
import type { Person } from './person.ts'

export const arabic = 'محمد بن عبد الله بن عبد الرحمن'

/** Where there is no English to go by: the places of the topbar are the same in every language. */
export function topbar({ page }: Person) {
  const bar = page.getByRole('banner')
  const menus = bar.locator('button[aria-expanded]')
  return { settings: menus.nth(-2), more: menus.last(), entries: bar.locator('section button'), bar }
}

/** From the home page: with a name and two stories, as far as it goes without knowing the language. */
export async function begins({ page }: Person): Promise<void> {
  await page.locator('main button').first().click()
  const name = page.locator('input[autocomplete=nickname]')
  await name.fill('alice')
  await name.press('Enter')
  await page.locator('form textarea').fill('One\nTwo')
  await page.locator('form textarea').press('Enter')
  await expect(page.locator('ol textarea')).toHaveCount(2)
  await page.evaluate(() => (document.activeElement as HTMLElement).blur())
}

export async function choosesByKey({ page }: Person): Promise<void> {
  await page.keyboard.press('5')
  await expect(page.locator('[role=toolbar] [aria-pressed=true]')).toHaveCount(1)
}

export async function revealsByKey({ page }: Person): Promise<void> {
  await page.keyboard.press('r')
  await expect(page.locator('input[type=radio]').first()).toBeAttached()
}

export function chooseLanguage(code: string): void {
  if (origin !== 'null') localStorage.setItem('facedown.language', code) // the browser's page for what it cannot reach has no storage
}
