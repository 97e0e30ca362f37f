/**
 * Mistakes somebody could make, each with the test that must notice. `text` stands in `file` exactly once; `run` is what
 * `vitest run --project` is given.
 */
export const bugs = [
  {
    name: 'a change is acknowledged before its commit',
    file: 'relay/sqlite-store.ts',
    text: '      this.#waitingBytes += envelope.length\n',
    instead: '      this.#waitingBytes += envelope.length\n      resolve(ordinary)\n',
    run: ['relay', 'connection', '-t', 'a slow disk delays only'],
  },
  {
    name: 'commits are not synced (seen by the kernel, on Linux)',
    file: 'relay/database.ts',
    text: '    const origin = prepare(database, region)\n    return {',
    instead:
      "    const origin = prepare(database, region)\n    database.pragma('synchronous = NORMAL')\n    return {",
    run: ['relay', 'fsync', 'sqlite-store', '-t', 'kernel is asked|synchronous is FULL'],
  },
  {
    name: 'the outbox forgets what the relay could not save',
    file: 'client/link/outbox.ts',
    text: '      this.#retrying ??= setTimeout(() => this.#retry(), this.#retryAfter * (1 + Math.random()))\n',
    instead: '      this.#shipments.delete(answer.ref)\n',
    run: ['client', 'link/outbox'],
  },
  {
    name: 'a gap between reading the log and subscribing to it',
    file: 'relay/connection.ts',
    text: '    room.enter(this)\n    const caughtUp = await catchUp(room, cursor, generation, this)\n',
    instead: '    const caughtUp = await catchUp(room, cursor, generation, this)\n    room.enter(this)\n',
    run: ['relay', 'connection', '-t', 'who joins while others append'],
  },
  {
    name: 'commitments without a nonce',
    file: 'shared/seal.ts',
    text: '      choiceBytes(place.counter, choice),\n      nonce,\n',
    instead: '      choiceBytes(place.counter, choice),\n',
    run: ['shared', 'seal.test'],
  },
  {
    name: 'seals outside of the cut are counted',
    file: 'shared/round.ts',
    text: '  const counting = seals.filter((seal) => cut.has(seal.id))\n',
    instead: '  const counting = cut.size < 0 ? [] : seals\n',
    run: ['shared', 'situations'],
  },
  {
    name: 'the origin of a page is not checked',
    file: 'relay/upgrade.ts',
    text: '  if (origins) return origins.includes(origin)\n',
    instead: '  if (origins) return true\n',
    run: ['relay', 'connection', '-t', 'not served: evil', '--testTimeout', '15000'],
  },
  {
    name: 'reconnecting without jitter',
    file: 'client/link/backoff.ts',
    text: 'this.#atLeast + Math.random() * bound',
    instead: 'this.#atLeast + bound / 2',
    run: ['client', 'link/backoff'],
  },
  {
    name: 'changes are applied unchecked',
    file: 'client/link/log-reader.ts',
    text: '    return update && isAcceptable(update) ? update : undefined\n',
    instead: '    return update\n',
    run: ['client', 'link/log-reader'],
  },
  {
    name: 'what waits for slow readers is not bounded (there is no cache of catch-up answers yet)',
    file: 'relay/sockets.ts',
    text: '    if (sum <= bufferedInAll) return\n    waiting.sort',
    instead: '    if (sum >= 0) return\n    waiting.sort',
    run: ['relay', 'socket', '-t', 'may have so much waiting together'],
  },
  {
    name: 'the checksum of a row is ignored',
    file: 'relay/read-tables.ts',
    text: '    const isWhole = isBytes(envelope) && isBytes(checksum) && equalBytes(checksumOf(envelope), checksum)\n',
    instead: '    const isWhole = isBytes(envelope) && isBytes(checksum)\n',
    run: ['relay', 'relay/damage', '-t', 'no envelope is served altered'],
  },
  {
    name: 'digests ignore deletions',
    file: 'client/session/same.ts',
    text: 'Y.encodeSnapshot(Y.snapshot(doc))',
    instead: 'Y.encodeStateVector(doc)',
    run: ['client', 'session/parts', '-t', 'only in what was deleted'],
  },
  {
    name: 'a disk that hangs is waited for',
    file: 'relay/sqlite-store.ts',
    text: 'const stalledMs = 10_000\n',
    instead: 'const stalledMs = 40_000\n',
    run: ['e2e', 'faults/hanging-disk'],
  },
  {
    name: 'what is tiny fits on a full disk, so all seems well',
    file: 'relay/engine.ts',
    text: "      if (reason === 'full') this.#wasFull = true\n",
    instead: '',
    run: ['e2e', 'faults/disk-full'],
  },
  {
    name: 'pings are free',
    file: 'relay/socket.ts',
    text: '        this.connection?.count()\n',
    instead: '',
    run: ['relay', 'socket', '-t', 'pings are frames'],
  },
  {
    name: 'an emptied database is taken for a new one',
    file: 'relay/database.ts',
    text: '    refuseEmptied(path)\n',
    instead: '',
    run: ['relay', 'relay/damage', '-t', 'is not taken for a new one'],
  },
  {
    name: 'a room is looked for before the keys are checked, so that probing tells where somebody is',
    file: 'relay/connection.ts',
    text: '    const role = checkHello(hello, session, nonce, origin)\n',
    instead:
      '    this.#surroundings.rooms.of(session)\n    const role = checkHello(hello, session, nonce, origin)\n',
    run: ['relay', 'probing'],
  },
]
