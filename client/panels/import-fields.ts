/** What the fields of a story are called in an import. */
export const fieldNames = {
  title: 'import.title',
  key: 'import.key',
  link: 'import.link',
  notes: 'import.notes',
  estimate: 'import.estimate',
} as const
