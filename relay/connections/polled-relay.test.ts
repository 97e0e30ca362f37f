/** What holds for connections over WebSockets holds over plain requests: the same tests, over those. */
import { transport } from './bare-client.testing.ts'

transport.kind = 'polling'

await import('../relay.test.ts')
