import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { startRelay, type TestRelay } from '../relay/testing.ts'
import { buildProgram, Machine } from './command-line.ts'

/** The commands of `client/COMMAND-LINE.md`, each block with what it is said to print. */
const examples = [
  ...readFileSync('client/COMMAND-LINE.md', 'utf8').matchAll(/```sh\n(.*?)```\n\n```text\n(.*?)```/gs),
].map(([, commands = '', printed = '']) => ({ commands, printed }))

const mark = '--- the next example ---\n'

let program: string
let relay: TestRelay
let alice: Machine

beforeAll(async () => {
  program = await buildProgram()
})

beforeEach(async () => {
  relay = await startRelay()
  alice = new Machine()
})

afterEach(async () => {
  await alice.remove()
  await relay.stop()
})

test('the commands of the guide do what it says, one after the other', async () => {
  const lines = examples.map(({ commands }) => commands).join(`printf '%s' '${mark}'\n`)
  const here = lines.replaceAll('http://localhost:8787', relay.url)
  const { code, said, complaint } = await alice.shell(here, program).endsInput()
  expect({ code, complaint }).toEqual({ code: 0, complaint: '' })
  // The mark of spreadsheets and the line ends of RFC 4180 cannot be seen in the guide.
  const printed = said.replaceAll('\uFEFF', '').replaceAll('\r', '').split(mark)
  expect(printed).toEqual(examples.map((example) => example.printed))
})

test('every command of the guide is one that is run, and has the output that it has', () => {
  const guide = readFileSync('client/COMMAND-LINE.md', 'utf8')
  expect(guide.match(/```sh\n/g)).toHaveLength(examples.length)
  expect(examples.length).toBeGreaterThan(4)
})

test('it ends when nobody reads any more', async () => {
  const { said: link } = await alice.run(['create', relay.url, '--name', 'alice'])
  const first = alice.shell(`facedown join '${link.trim()}' --watch --json | head -1`, program)
  await first.says('"event":"session"')
  await alice.run(['join', link.trim()], 'vote 5\n')
  expect(await first.ends()).toMatchObject({ code: 0, complaint: '' })
})

test('a terminal that closes ends it as Ctrl-C does, not in the middle of something', async () => {
  const { said: link } = await alice.run(['create', relay.url, '--name', 'alice'])
  const facedown = `exec '${process.execPath}' '${program}'`
  const join = `(${facedown} join '${link.trim()}' --watch --json) & read -r; kill -HUP $!; wait $!; echo "ended $?"`
  const bob = alice.shell(join, program)
  await bob.says('"event":"session"')
  bob.types('\n')
  expect(await bob.ends()).toMatchObject({ said: expect.stringContaining('ended 0'), complaint: '' })
})

test('the program of a relay loads nothing of what reads sessions', () => {
  const folder = dirname(program)
  const files = readdirSync(folder).filter((name) => name.endsWith('.js'))
  expect(files).toContain('main.js')
  for (const name of files) {
    const text = readFileSync(join(folder, name), 'utf8')
    const imported = [...text.matchAll(/(?:from|import)\s*\(?\s*["']([^"'.][^"']*)["']/g)].map(
      ([, from]) => from,
    )
    expect(imported).not.toContain('yjs')
    expect(imported).not.toContain('@noble/ciphers/chacha.js')
  }
})
