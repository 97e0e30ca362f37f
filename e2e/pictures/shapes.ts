import type { Locator, Page } from '@playwright/test'

interface Shape {
  readonly viewport: { readonly width: number; readonly height: number }
  readonly colorScheme: 'light' | 'dark'
}

const phone = { width: 390, height: 844 }
export const desktop = { width: 1280, height: 800 }

const shapes: Readonly<Record<string, Shape>> = {
  'phone-light': { viewport: phone, colorScheme: 'light' },
  'phone-dark': { viewport: phone, colorScheme: 'dark' },
  'desktop-dark': { viewport: desktop, colorScheme: 'dark' },
  'desktop-light': { viewport: desktop, colorScheme: 'light' },
}

/** What a picture is of: a page from its top, or a part of one that is to be in sight. */
export type Sight = Page | Locator

/** Pictures of the same in every shape, `<name>-<shape>.png`. */
export async function takeInEveryShape(sight: Sight, folder: string, name: string): Promise<void> {
  const page = 'goto' in sight ? sight : sight.page()
  for (const [shape, { viewport, colorScheme }] of Object.entries(shapes)) {
    await page.mouse.move(0, 0) // nothing looks pointed at
    await page.setViewportSize(viewport)
    await page.emulateMedia({ colorScheme })
    if ('goto' in sight) await page.evaluate(() => scrollTo(0, 0))
    else await sight.evaluate((part) => part.scrollIntoView({ block: 'start' }))
    await standsStill(page)
    await page.screenshot({ path: `${folder}/${name}-${shape}.png` })
  }
}

/** Cards turn, bars grow, menus unfold: resolves when everything has arrived. */
export async function standsStill(page: Page): Promise<void> {
  await page.evaluate(
    () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))),
  )
  await page.waitForFunction(() => document.getAnimations().every(({ playState }) => playState !== 'running'))
}
