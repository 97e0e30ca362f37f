import type { Environment } from './config.ts'
import { SetupError } from './setup-error.ts'

/**
 * The environment is full of what others need, so a name that is none of ours says nothing by itself. It stops the start when it
 * is plainly meant for us: the same letters as one of our names, whatever their case, order and underscores, or nearly the
 * same name, so near that chance does not bring it there.
 */
export function refuseMisspelt(environment: Environment, names: readonly string[]): void {
  for (const [found, value] of Object.entries(environment)) {
    if (!value || names.includes(found)) continue
    const meant = names.find((name) => isMisspelt(found, name))
    // Windows gives a value under its name in any case.
    if (meant === undefined || environment[meant] === value) continue
    throw new SetupError(`${found} is no setting of the relay. Write ${meant}, or take ${found} away`)
  }
}

function isMisspelt(found: string, name: string): boolean {
  const [one, other] = [plain(found), plain(name)]
  if (sorted(one) === sorted(other)) return true
  return distance(one, other) <= toleranceOf(other)
}

/** HOST and PORT are near too much that is others'. */
function toleranceOf({ length }: string): number {
  if (length < 6) return 0
  return length < 8 ? 1 : 2
}

function plain(name: string): string {
  return name.toUpperCase().replace(/[^A-Z0-9]/g, '')
}

function sorted(letters: string): string {
  return [...letters].sort().join('')
}

/** How many letters have to be changed, put in or taken out (Levenshtein). */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, at) => at)
  for (let at = 1; at <= one.length; at++) {
    const next = [at]
    for (let to = 1; to <= other.length; to++) {
      const changed = (row[to - 1] ?? 0) + (one[at - 1] === other[to - 1] ? 0 : 1)
      next.push(Math.min(changed, (row[to] ?? 0) + 1, (next[to - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[other.length] ?? 0
}
