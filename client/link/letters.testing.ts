import * as Y from 'yjs'

/** One update for each letter that alice typed into the text `title`: its number's last digit. */
export function letters(count: number): Uint8Array[] {
  const doc = new Y.Doc()
  const updates: Uint8Array[] = []
  doc.on('update', (update: Uint8Array) => updates.push(update))
  for (let at = 0; at < count; at++) doc.getText('title').insert(at, String(at % 10))
  return updates
}
