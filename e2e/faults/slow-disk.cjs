/**
 * Loaded into a relay by NODE_OPTIONS: each commit that changed something takes as many milliseconds longer as the file
 * SLOW_DISK says, looked up again while waiting.
 */
const { readFileSync } = require('node:fs')
const Sqlite = require('better-sqlite3')

const nobody = new Int32Array(new SharedArrayBuffer(4))
const { transaction } = Sqlite.prototype

Sqlite.prototype.transaction = function (work) {
  const count = this.prepare('SELECT total_changes()').pluck()
  const slow =
    (run) =>
    (...given) => {
      const before = count.get()
      const result = run(...given)
      if (count.get() !== before) waitForDisk()
      return result
    }
  const ordinary = transaction.call(this, work)
  const all = slow(ordinary)
  for (const mode of ['deferred', 'immediate', 'exclusive']) all[mode] = slow(ordinary[mode])
  return all
}

function waitForDisk() {
  const start = performance.now()
  for (;;) {
    const left = start + Number(readFileSync(process.env.SLOW_DISK, 'utf8')) - performance.now()
    if (left <= 0) return
    Atomics.wait(nobody, 0, 0, Math.min(left, 50))
  }
}
