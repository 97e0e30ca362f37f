import { fuzz } from './fuzz.testing.ts'
import { mutantOf } from './mutants.testing.ts'
import { encodeSessionFile, openSessionFile } from './session-file.ts'
import { bytesOf, memberKeys } from './testing.ts'

const update = bytesOf(9, 400)
const files = [
  encodeSessionFile(memberKeys, update, 'encrypted'),
  encodeSessionFile(memberKeys, update, 'plain'),
]

fuzz(
  'a file that was changed anywhere is not opened, and it is said why',
  { inputs: 12_000, kinds: ['damaged', 'notAFile', 'newer', 'locked', 'unchanged'] },
  (chance) => {
    const file = chance.happens(0.01) ? chance.pick(files) : mutantOf(files, chance)
    const isKnown = chance.happens(0.9)
    const opened = openSessionFile(file, (session) =>
      isKnown && session === memberKeys.session ? memberKeys : undefined,
    )
    if (opened.state !== 'opened') return opened.state
    const isUnchanged = files.some((each) => Buffer.compare(each, file) === 0)
    if (!isUnchanged || Buffer.compare(opened.update, update) !== 0)
      throw new Error('A changed file was opened')
    return 'unchanged'
  },
)
