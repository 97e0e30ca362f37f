import { testFailedSeeds } from './storms.testing.ts'

testFailedSeeds({
  2: 'a relay that could read its log but not write it was believed to have what a restored store had lost',
  6: 'a store did not open on a disk that refused its daily sweep',
  10: 'a change whose predecessor never came was uploaded again and again',
  7: 'a device from which a relay had kept an entry stayed different for ever',
  9: 'nobody saw anybody after a restart of the relay, and so nobody compared',
  20: 'a dead connection went unnoticed after a clock was set back',
  46: 'a change that only an observer still had was taken for one that comes back',
  54: 'a device from which a relay had kept an entry made a snapshot without it, and nobody looked behind that',
  61: 'a place in the log claimed more than its cursor, and a restored store was believed to have it',
  99: 'a dead connection and a difference took more than a minute together',
  57: 'devices from which different entries had been kept mended one after the other, and each kept the next waiting',
  112: 'those who had everything read the log again before the one who had not',
  100904: 'what a store had lost came back at the second mending, when all had the same for half a minute',
  303829:
    'who stopped listening late ended what others had begun, and nobody heard what was saved from then on',
  17: 'two devices put back in turn what the other had not, and never came to rest',
  376: 'who signalled and left while somebody read the log stayed at their table for good',
  1044: 'what a relay had kept from two readings, from each something else as well, was in no snapshot any more',
  346: 'a relay that had kept two snapshots from a device had the store drop what was in them',
  98: 'a change that a store had refused was tried again only after half a minute',
})
