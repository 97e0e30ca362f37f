// Stands for Node's: its chance is the simulation's.
export * from 'node:crypto'

export function randomBytes(length: number): Buffer {
  return crypto.getRandomValues(Buffer.alloc(length))
}
