/** Text out of the bytes that spreadsheets and trackers write. */

export interface Decoded {
  readonly text: string
  /** As `TextDecoder` calls it. */
  readonly encoding: string
  /** False when it is a guess that somebody may want to correct. */
  readonly certain: boolean
}

/** What somebody may choose instead of the guess. */
export const encodings = [
  'utf-8',
  'utf-16le',
  'utf-16be',
  'windows-1252',
  'windows-1250',
  'windows-1251',
  'windows-1253',
  'windows-1254',
  'windows-1255',
  'windows-1256',
  'shift_jis',
  'euc-kr',
  'gb18030',
  'big5',
] as const

/** What spreadsheets write where these languages are spoken, when they do not write Unicode. */
const legacy: Readonly<Record<string, string>> = {
  ja: 'shift_jis',
  ko: 'euc-kr',
  zh: 'gb18030',
  ar: 'windows-1256',
  he: 'windows-1255',
  ru: 'windows-1251',
  uk: 'windows-1251',
  bg: 'windows-1251',
  el: 'windows-1253',
  tr: 'windows-1254',
  pl: 'windows-1250',
  cs: 'windows-1250',
  hu: 'windows-1250',
}

/** How workbooks begin (.xlsx, .ods and .numbers are Zip archives), the older .xls, and a session file. */
const others = ['PK\x03\x04', '\xd0\xcf\x11\xe0', 'facedown\x01']

/** What no encoding makes text of. A workbook has to be saved as CSV first. */
export function isNoText(bytes: Uint8Array): boolean {
  const start = String.fromCharCode(...bytes.subarray(0, 9))
  return others.some((other) => start.startsWith(other))
}

/** A byte order mark decides; then whether it is UTF-8; what is left is guessed by the person's language. */
export function decodeText(bytes: Uint8Array, language: string): Decoded {
  const marked = encodingByMark(bytes)
  if (marked) return { text: decodeAs(bytes, marked), encoding: marked, certain: true }
  const wide = encodingByZeros(bytes)
  if (wide) return { text: decodeAs(bytes, wide), encoding: wide, certain: true }
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return { text, encoding: 'utf-8', certain: true }
  } catch {
    // Not UTF-8: no valid text has these bytes.
  }
  const encoding = legacy[language.slice(0, 2)] ?? 'windows-1252'
  return { text: decodeAs(bytes, encoding), encoding, certain: false }
}

export function decodeAs(bytes: Uint8Array, encoding: string): string {
  return new TextDecoder(encoding).decode(bytes)
}

function encodingByMark([a, b, c]: Uint8Array): string | undefined {
  if (a === 0xef && b === 0xbb && c === 0xbf) return 'utf-8'
  if (a === 0xff && b === 0xfe) return 'utf-16le'
  return a === 0xfe && b === 0xff ? 'utf-16be' : undefined
}

/** Separators and digits of UTF-16 have a zero beside them; no other text has any. */
function encodingByZeros(bytes: Uint8Array): string | undefined {
  const start = bytes.subarray(0, 4096)
  let [even, odd] = [0, 0]
  start.forEach((byte, at) => {
    if (byte === 0) at % 2 === 0 ? even++ : odd++
  })
  if (even + odd < start.length / 20 || even + odd < 2) return undefined
  return odd > even ? 'utf-16le' : 'utf-16be'
}
