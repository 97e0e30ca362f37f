import { expect, test } from 'vitest'
import type { Report } from '../operators/report.ts'
import { Failures } from './failures.ts'

function failing() {
  const said: string[] = []
  const closing = new AbortController()
  const report = (told: Report) => void (told.event === 'failed' && said.push(told.error))
  return { said, closing, failures: new Failures(report, closing.signal) }
}

test('what fails again and again is said once, until it was well', () => {
  const { said, failures } = failing()
  failures.sayOnce('here', 'away')
  failures.sayOnce('here', 'full')
  failures.sayOnce('here', 'away')
  failures.sayOnce('there', 'away')
  expect(said).toEqual(['away', 'full', 'away'])
  expect(failures.areAny).toBe(true)
  failures.noteWell('here')
  failures.sayOnce('here', 'away')
  expect(said).toHaveLength(4)
  failures.noteWell('here')
  failures.noteWell('there')
  expect(failures.areAny).toBe(false)
})

test('what fails because everything is closed is not said', () => {
  const { said, closing, failures } = failing()
  closing.abort()
  failures.sayOnce('here', 'closed')
  failures.say('closed')
  expect(said).toEqual([])
})
