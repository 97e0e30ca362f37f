/** Bytes as nobody meant them: small changes of valid ones, which get further than noise does. */
import { joinBytes } from './codec.ts'
import type { Chance } from './testing.ts'

type Mutator = (bytes: Uint8Array, chance: Chance, valid: readonly Uint8Array[]) => Uint8Array

/** One to four changes of one of the valid inputs. */
export function mutantOf(valid: readonly Uint8Array[], chance: Chance): Uint8Array {
  let bytes = chance.pick(valid)
  for (let changes = 1 + chance.below(4); changes > 0; changes--) {
    bytes = chance.pick(mutators)(bytes, chance, valid)
  }
  return bytes
}

/** The same for text, which also gets what text can have and bytes cannot. */
export function mutantTextOf(valid: readonly string[], chance: Chance): string {
  let text = chance.pick(valid)
  for (let changes = 1 + chance.below(4); changes > 0; changes--) {
    const [from, to] = range(text.length, chance)
    const other = chance.pick(valid)
    const what = chance.below(8)
    if (what === 0) text = text.slice(0, from)
    else if (what === 1) text = text.slice(0, from) + text.slice(to)
    else if (what === 2) text = text.slice(0, from) + other.slice(chance.below(other.length + 1))
    else if (what === 3) text = text.slice(0, to) + text.slice(from, to).repeat(1 + chance.below(30))
    else if (what === 4) text = text.slice(0, from) + chance.pick(nastyTexts) + text.slice(from)
    else if (what === 5) text = text.slice(0, from) + chance.pick(nastyTexts) + text.slice(to)
    else if (what === 6) text = text.slice(from, to) + text.slice(0, from) + text.slice(to)
    else text = text.slice(0, from) + String.fromCharCode(chance.below(0x10000)) + text.slice(from + 1)
  }
  return text
}

const nastyTexts = [
  '',
  ' ',
  '\0',
  '"',
  '""',
  "'",
  '\r\n',
  '\n\n\n',
  '\t',
  ';',
  ',',
  '|',
  '%',
  '%00',
  '%2e%2e/',
  '#',
  '?',
  '/',
  '.',
  '=',
  '\\',
  '{"',
  '[[[[',
  '\ufeff',
  '\ud800',
  '\udc00',
  '\u2028',
  '\u202e',
  'ſ', // becomes S in upper case, but is no ASCII letter
  '__proto__',
  'constructor',
  'null',
  '1e309',
  'a'.repeat(300),
  ' '.repeat(300),
]

const mutators: readonly [Mutator, ...Mutator[]] = [
  function flipsBit(bytes, chance) {
    return changed(bytes, chance, (byte) => byte ^ (1 << chance.below(8)))
  },
  function setsByte(bytes, chance) {
    return changed(bytes, chance, () => chance.pick([0, 1, 127, 128, 255, chance.below(256)]))
  },
  /** Of a length, more often than not. */
  function countsOneMore(bytes, chance) {
    return changed(bytes, chance, (byte) => byte + chance.pick([-1, 1]))
  },
  function cutsOff(bytes, chance) {
    return bytes.subarray(0, chance.below(bytes.length + 1))
  },
  function cutsOut(bytes, chance) {
    const [from, to] = range(bytes.length, chance)
    return joinBytes(bytes.subarray(0, from), bytes.subarray(to))
  },
  function putsIn(bytes, chance) {
    const at = chance.below(bytes.length + 1)
    return joinBytes(bytes.subarray(0, at), chance.bytes(1 + chance.below(16)), bytes.subarray(at))
  },
  function repeats(bytes, chance) {
    const [from, to] = range(bytes.length, chance)
    const again = Array<Uint8Array>(1 + chance.below(30)).fill(bytes.subarray(from, to))
    return joinBytes(bytes.subarray(0, to), ...again, bytes.subarray(to))
  },
  function splices(bytes, chance, valid) {
    const other = chance.pick(valid)
    return joinBytes(
      bytes.subarray(0, chance.below(bytes.length + 1)),
      other.subarray(chance.below(other.length + 1)),
    )
  },
  function swells(bytes, chance) {
    const at = chance.below(bytes.length + 1)
    return joinBytes(bytes.subarray(0, at), hugeNumber(chance), bytes.subarray(at + 1))
  },
]

/** As `lib0` writes it: at the limits of 7, 14, 31, 32 and 53 bits, beyond them, and one that never ends. */
function hugeNumber(chance: Chance): Uint8Array {
  const powers = [7n, 14n, 16n, 31n, 32n, 52n, 53n, 64n]
  let value = (1n << chance.pick(powers)) + BigInt(chance.below(3) - 1)
  if (chance.happens(0.1)) return new Uint8Array(12).fill(255)
  const bytes: number[] = []
  for (; value > 127n; value >>= 7n) bytes.push(Number(value & 127n) | 128)
  return Uint8Array.of(...bytes, Number(value))
}

function changed(bytes: Uint8Array, chance: Chance, change: (byte: number) => number): Uint8Array {
  const copy = bytes.slice()
  const at = chance.below(copy.length)
  if (copy.length > 0) copy[at] = change(copy[at] ?? 0)
  return copy
}

/** Mostly short, because fields are. */
function range(length: number, chance: Chance): [from: number, to: number] {
  const from = chance.below(length + 1)
  return [from, Math.min(length, from + 1 + chance.below(chance.happens(0.8) ? 12 : length + 1))]
}
