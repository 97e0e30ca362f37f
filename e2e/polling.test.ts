/** The client's side of the link without WebSockets, against a relay and a network that does what networks do. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { PollingSocket } from '../client/link/polling-socket.ts'
import { BareClient } from '../relay/bare-client.testing.ts'
import { someEnvelope, startRelay, type TestRelay } from '../relay/testing.ts'
import { closeCodes } from '../shared/close-code.ts'
import { createSessionKeys, helloStatement, roleSeed, sign } from '../shared/keys.ts'
import { chanceFrom } from '../shared/testing.ts'
import { decodeFromRelay, encodeFromClient, type FromRelay } from '../shared/wire.ts'
