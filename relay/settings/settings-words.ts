import { version } from '../version.ts'
import type { Setting } from './setting.ts'
import { settings } from './settings.ts'

const all: readonly Setting<unknown>[] = Object.values(settings)

/** What `--help` prints. */
export function helpText(): string {
  const lines = all.flatMap(({ name, meaning, bounds, otherwise, unit }) => [
    '',
    `  ${name}`,
    ...wrap(`${meaning.replaceAll('`', '')}.`),
    ...wrap(`${bounds}${unit && ` ${unit}`}; default ${otherwise}`),
  ])
  return [
    `Facedown relay ${version}: planning poker whose cards really are face down.`,
    '',
    '  node dist/relay/main.js             starts the relay',
    '  node dist/relay/main.js --help      prints this',
    '  node dist/relay/main.js --version   prints the version',
    '',
    'Settings come from the environment, for example',
    '  PORT=80 ORIGINS=https://poker.example.org node dist/relay/main.js',
    ...lines,
    '',
    'The handbook is relay/OPERATING.md.',
    '',
  ].join('\n')
}

/** The table of the handbook. */
export function settingsTable(): string {
  return [
    '| setting | meaning | default | values | unit |',
    '| --- | --- | --- | --- | --- |',
    ...all.map(
      ({ name, meaning, otherwise, bounds, unit }) =>
        `| \`${name}\` | ${meaning} | ${asWritten(otherwise)} | ${bounds} | ${unit} |`,
    ),
  ].join('\n')
}

/** What is to be typed as it stands, unless it is said in words. */
function asWritten(otherwise: string): string {
  return otherwise === 'none' || otherwise.includes(' ') ? otherwise : `\`${otherwise}\``
}

function wrap(words: string): string[] {
  const lines: string[] = []
  let line = '   '
  for (const word of words.split(' ')) {
    if (line.length + word.length > 90) {
      lines.push(line)
      line = '   '
    }
    line += ` ${word}`
  }
  return [...lines, line]
}
