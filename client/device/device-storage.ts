/** Small texts that this device keeps, by name. */
const prefix = 'facedown.'
/** Used when the browser keeps nothing: then everything lasts as long as the page. */
const inMemory = new Map<string, string>()

export function read(name: string): string | undefined {
  return inMemory.get(name) ?? storage()?.getItem(prefix + name) ?? undefined
}

/** False when it lasts no longer than this page. */
export function write(name: string, text: string): boolean {
  try {
    const local = storage()
    if (!local) throw new Error('No storage')
    local.setItem(prefix + name, text)
    inMemory.delete(name)
    return true
  } catch {
    inMemory.set(name, text)
    return false
  }
}

export function remove(name: string): void {
  inMemory.delete(name)
  storage()?.removeItem(prefix + name)
}

export function keptNames(): string[] {
  const keys = Object.keys(storage() ?? {}).filter((key) => key.startsWith(prefix))
  return [...new Set([...keys.map((key) => key.slice(prefix.length)), ...inMemory.keys()])]
}

/** The folder of this installation. The storage is that of the whole host, where there may be others. */
export function folder(): string {
  return new URL(document.baseURI).pathname
}

/** What one installation knows of its own relays is kept for each. */
export function here(name: string): string {
  return `${name} ${folder()}`
}

function storage(): Storage | undefined {
  try {
    return globalThis.localStorage
  } catch {
    return undefined // browsers throw where site data is blocked
  }
}
