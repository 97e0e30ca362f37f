import { expect, test } from 'vitest'
import { equalBytes } from '../../shared/codec.ts'
import { PartCollector } from '../../shared/parts.ts'
import { bytesOf, memberKeys, observerKeys, ownerKeys } from '../../shared/testing.ts'
import {
  type Answer,
  decodeAnswer,
  decodeQuestion,
  decodeStatePart,
  encodeAnswer,
  encodeQuestion,
  isAnswerOfWriter,
} from './state-messages.ts'

const nonce = bytesOf(7, 16)

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const collector = new PartCollector()
  const whole = parts.map((content) => {
    const part = decodeStatePart(content)
    return part && collector.add(part)
  })
  return whole.at(-1) ?? new Uint8Array()
}

function answerOf(keys: typeof ownerKeys, update: Uint8Array = Uint8Array.of(0, 0)): Answer {
  const answer = decodeAnswer(joined(encodeAnswer(keys, nonce, true, update)))
  if (!answer) throw new Error('It does not come back')
  return answer
}

test('a question and a long answer come back from their parts', () => {
  const question = { nonce, stateVector: bytesOf(3, 200) }
  expect(decodeQuestion(joined(encodeQuestion(question)))).toEqual(question)
  const update = bytesOf(9, 200_000)
  expect(encodeAnswer(memberKeys, nonce, true, update).length).toBeGreaterThan(3)
  const answer = answerOf(memberKeys, update)
  expect(answer).toMatchObject({ nonce, more: true })
  expect(equalBytes(answer.update, update)).toBe(true)
})

test('members and the owner can answer, an observer cannot', () => {
  expect(isAnswerOfWriter(memberKeys, answerOf(memberKeys))).toBe(true)
  expect(isAnswerOfWriter(observerKeys, answerOf(memberKeys))).toBe(true)
  expect(isAnswerOfWriter(memberKeys, answerOf(ownerKeys))).toBe(true)
  expect(isAnswerOfWriter(memberKeys, answerOf(observerKeys))).toBe(false)
})

test('an answer holds for its question and its content alone', () => {
  const answer = answerOf(memberKeys)
  expect(isAnswerOfWriter(memberKeys, { ...answer, nonce: bytesOf(8, 16) })).toBe(false)
  expect(isAnswerOfWriter(memberKeys, { ...answer, update: Uint8Array.of(0, 1) })).toBe(false)
})

test('what is none of them is told apart', () => {
  expect(decodeStatePart(Uint8Array.of(18, 0, 1, 5))).toBeUndefined()
  expect(decodeStatePart(Uint8Array.of(16))).toBeUndefined()
  expect(decodeAnswer(new Uint8Array(80))).toBeUndefined()
})
