import { expect, test } from 'vitest'
import { closeCodes } from '../../relay/connections/close-words.ts'
import { refusal } from './refusal.ts'

test('a reason for which there is no way back is said in the language of the interface', () => {
  for (const [reason, { code }] of Object.entries(closeCodes)) {
    const said = refusal(reason, 'What the relay said')
    if (code < 4500) expect(said, reason).not.toBe('What the relay said')
    else expect(said, reason).toBe('What the relay said')
  }
})

test('a relay that has a reason of its own says it in its words', () => {
  expect(refusal('closed', 'Closed for the summer.')).toBe('Closed for the summer.')
})
