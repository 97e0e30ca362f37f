// @vitest-environment happy-dom
import { flushSync, mount, unmount } from 'svelte'
import { expect, onTestFinished, test, vi } from 'vitest'
import TimerClock from './timer-clock.svelte'

const chime = vi.hoisted(() => vi.fn())
vi.mock('./chime.ts', () => ({ chime }))

/** A countdown that ends in a minute, and what the time is after so many milliseconds of which timers hear only the last. */
function endsWhile(asleep: number): void {
  vi.useFakeTimers()
  chime.mockClear()
  const timer = { seconds: 60, ends: Date.now() + 60_000 }
  const component = mount(TimerClock, { target: document.body, props: { timer } })
  onTestFinished(() => {
    vi.useRealTimers()
    void unmount(component)
  })
  flushSync()
  vi.advanceTimersByTime(1_000)
  vi.setSystemTime(Date.now() + asleep)
  vi.advanceTimersByTime(1_000)
  flushSync()
}

test('the end of a countdown is heard once, and read', () => {
  endsWhile(59_000)
  expect(chime).toHaveBeenCalledOnce()
  expect(document.querySelector('[role=timer]')?.textContent).toBe('Time is up')
})

test('a page that nobody looks at, and that wakes once a minute, is heard, too', () => {
  endsWhile(110_000)
  expect(chime).toHaveBeenCalledOnce()
})

test('whoever comes back long after the end hears nothing of it', () => {
  endsWhile(3_600_000)
  expect(chime).not.toHaveBeenCalled()
  expect(document.querySelector('[aria-live]')?.textContent).not.toContain('Time is up')
})
