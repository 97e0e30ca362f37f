/** Loaded into a relay by NODE_OPTIONS: the thread of its store throws once the file BROKEN_THREAD is there, as a bug would. */
const { existsSync, rmSync } = require('node:fs')
const { isMainThread } = require('node:worker_threads')

if (!isMainThread) {
  setInterval(() => {
    if (!existsSync(process.env.BROKEN_THREAD)) return
    rmSync(process.env.BROKEN_THREAD)
    throw new Error('A mistake in the thread')
  }, 100).unref()
}
