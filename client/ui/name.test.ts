import { expect, test } from 'vitest'
import { createDocument, readName, writeName } from '../../shared/document.ts'
import { createSessionKeys } from '../../shared/keys.ts'
import { Ledger } from '../../shared/ledger.ts'
import { Participant } from '../../shared/participant.ts'
import { recordIdOf } from '../../shared/record.ts'
import { nameLimit, parseName } from './name.ts'

test('a name is one line without spaces around it', () => {
  expect(parseName('  Ana \n Maria ')).toEqual({ name: 'Ana Maria' })
})

test('what turns letters around is no part of a name, as where a telephone adds it to a contact', () => {
  expect(parseName('\u202aAna\u202c \u2068Maria\u2069')).toEqual({ name: 'Ana Maria' })
  expect(parseName('\u202e').name).toBe('')
})

test('500 pasted characters are cut to the limit, never through the middle of one', () => {
  const letter = 'e\u0301'
  expect(parseName(letter.repeat(500))).toEqual({ name: letter.repeat(nameLimit), cutTo: nameLimit })
})

test('80 characters are not too many', () => {
  expect(parseName('é'.repeat(80)).cutTo).toBeUndefined()
})

test('a letter that alone is longer than a name is told to be left out', () => {
  expect(parseName(`e${'\u0301'.repeat(400)}`)).toEqual({ name: '', cutTo: 0 })
})

test('a session keeps all of a name that was accepted, whatever it is written in', () => {
  const doc = createDocument()
  for (const letter of ['क्षि', '👩‍👩‍👧‍👦', '🂡']) {
    const { name } = parseName(letter.repeat(80))
    writeName(doc, name)
    expect(readName(doc)).toBe(name)
  }
})

test('a name of letters that take many bytes is one that others accept', () => {
  const keys = createSessionKeys()
  const ledger = new Ledger(keys)
  const alice = new Participant(keys, new Uint8Array(32).fill(1), ledger)
  for (const letter of ['क्षि', '👩‍👩‍👧‍👦', 'z͑ͫ̓ͪ̂ͫ̽͏̴̙̤']) {
    const parsed = parseName(letter.repeat(80))
    expect(parsed.name).toBe(letter.repeat(parsed.cutTo ?? 0))
    const record = alice.introduce(parsed.name)
    ledger.add(recordIdOf(record), record)
    expect(ledger.profile(alice.id)?.name).toBe(parsed.name)
  }
})
