import * as Y from 'yjs'
import { equalBytes } from '../../shared/codec.ts'
import { fuzz } from '../../shared/fuzz.testing.ts'
import { mutantOf } from '../../shared/mutants.testing.ts'
import { PartCollector } from '../../shared/parts.ts'
import { bytesOf, memberKeys, observerKeys } from '../../shared/testing.ts'
import { StateExchange } from './state-exchange.ts'
import {
  decodeAnswer,
  decodeQuestion,
  decodeStatePart,
  encodeAnswer,
  encodeQuestion,
  isAnswerOfWriter,
} from './state-messages.ts'

const nonce = bytesOf(7, 16)
const doc = new Y.Doc()
for (let at = 0; at < 20; at++) doc.getMap('records').set(`record ${at}`, bytesOf(at, 40))
const stateVector = Y.encodeStateVector(doc)
const update = Y.encodeStateAsUpdate(doc)
const questions = [
  encodeQuestion({ nonce, stateVector: Uint8Array.of(0) }),
  encodeQuestion({ nonce, stateVector }),
  encodeQuestion({ nonce, stateVector: bytesOf(200, 70_000) }),
].flat()
const answers = [
  encodeAnswer(memberKeys, nonce, false, Uint8Array.of(0, 0)),
  encodeAnswer(memberKeys, nonce, true, update),
  encodeAnswer(observerKeys, nonce, true, update),
].flat()

/** Of a message that is one part. */
function wholeOf(content: Uint8Array): Uint8Array {
  return content.subarray(3)
}

fuzz(
  'a signal is a part of a question, or of an answer, or neither',
  { inputs: 12_000, kinds: ['question', 'answer', 'neither'] },
  (chance) => {
    const mutant = mutantOf(
      [...questions, ...answers].map((content) => content.subarray(0, 300)),
      chance,
    )
    const part = decodeStatePart(mutant)
    if (!part) return 'neither'
    const { kind, index, count, group, bytes } = part
    if (index < 0 || index >= count || count > 256) throw new Error('It is no part')
    if (group.length !== (count > 1 ? 8 : 0)) throw new Error('Its group has another length')
    if (bytes.length >= mutant.length) throw new Error('It is longer than what it came in')
    if (new PartCollector().add(part) && count > 1) throw new Error('It is whole by itself')
    return kind
  },
)

fuzz('a question is what was asked, or none', { inputs: 12_000, kinds: ['question', 'none'] }, (chance) => {
  const mutant = mutantOf(questions.slice(0, 2).map(wholeOf), chance)
  const question = decodeQuestion(mutant)
  if (!question) {
    if (mutant.length >= nonce.length) throw new Error('It is a question')
    return 'none'
  }
  const [again] = encodeQuestion(question)
  if (!again || !equalBytes(wholeOf(again), mutant)) throw new Error('It is another when written')
  return 'question'
})

fuzz(
  'a changed answer is none of a writer',
  { inputs: 600, kinds: ['unchanged', 'nobody’s', 'none'] },
  (chance) => {
    const originals = answers.slice(0, 2).map(wholeOf)
    const mutant = chance.happens(0.1) ? chance.pick(originals) : mutantOf(answers.map(wholeOf), chance)
    const answer = decodeAnswer(mutant)
    if (!answer) return 'none'
    // Whether more follows is not signed: who lies about it is asked once more, or not.
    const meant = originals.some((bytes) => equalBytes(unmarked(bytes), unmarked(mutant)))
    if (isAnswerOfWriter(memberKeys, answer) !== meant) throw new Error(meant ? 'It is' : 'It passes for one')
    return meant ? 'unchanged' : 'nobody’s'
  },
)

function unmarked(answer: Uint8Array): Uint8Array {
  const copy = answer.slice()
  copy[nonce.length] = 0
  return copy
}

fuzz(
  'an exchange bears whatever it hears',
  { inputs: 600, kinds: ['answers', 'keeps silent'], slowest: 200 },
  (chance) => {
    const own = new Y.Doc()
    Y.applyUpdate(own, update)
    let answered = 0
    const exchange = new StateExchange({
      keys: memberKeys,
      doc: own,
      others: () => [
        [1, undefined],
        [2, undefined],
      ],
      digest: () => undefined,
      send: (content) => {
        if (decodeStatePart(content)?.kind === 'answer') answered++
      },
      apply: () => {
        throw new Error('It took an answer to a question that was not asked')
      },
    })
    exchange.ask()
    for (let turn = 0; turn < 10; turn++) {
      exchange.hear(1 + chance.below(2), mutantOf([...questions, ...answers], chance))
    }
    exchange.stop()
    return answered > 0 ? 'answers' : 'keeps silent'
  },
)
