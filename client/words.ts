/** Every sentence the interface says, in one language. Others will have the same shape. */
const locale = 'en'
const plurals = new Intl.PluralRules(locale)
const numbers = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 })
const percents = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 0 })
const lists = new Intl.ListFormat(locale, { type: 'conjunction' })
/** Keeps a name written from right to left from reordering the sentence around it. */
function isolate(name: string): string {
  return /[\u0590-\u08ff\ufb1d-\ufefc]/.test(name) ? `\u2068${name}\u2069` : name
}

function people(names: readonly string[]): string {
  return lists.format(names.map(isolate))
}

const alternatives = new Intl.ListFormat(locale, { type: 'disjunction' })
const clock = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit' })
const day = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' })

function plural(count: number, one: string, other: string): string {
  return `${numbers.format(count)} ${plurals.select(count) === 'one' ? one : other}`
}

export const words = {
  locale,
  product: 'Facedown',

  home: {
    title: 'Planning poker whose cards really are face down.',
    text: 'Nobody can read a vote before the reveal: not a teammate with the developer tools open, not the server. No account, and it works offline.',
    start: 'Start a session',
    sessions: 'Sessions on this device',
    opened: (time: number) => `Opened ${day.format(time)}`,
    remove: (name: string) => `Remove ${name} from this device`,
    removed: (name: string) => `${name} is no longer on this device.`,
  },

  session: {
    unnamed: 'Session without a name',
    name: 'Name of the session',
    namePlaceholder: 'Name this session',
    home: 'All sessions',
    help: 'Help',
    opening: 'Opening the session …',
    waiting: 'The session is on its way to this device.',
    waitingOffline:
      'This device has not received the session yet. It will appear as soon as the relay can be reached.',
    main: 'Table',
  },

  name: {
    label: 'Your name',
    placeholder: 'What shall we call you?',
    join: 'Take a seat',
    save: 'Save',
    change: 'Change your name',
    needed: 'Tell the others who you are, then press Enter: your card is kept.',
    neededOnly: 'A name is needed, any will do.',
    cut: (limit: number) => `That is a long name! We kept the first ${numbers.format(limit)} characters.`,
    you: 'you',
    yourSeat: 'You',
    unknown: 'Somebody',
  },

  hand: {
    label: 'Your hand',
    card: (label: string) => `Card ${label}`,
    chosen: 'Your card',
    hint: 'Choose a card. Nobody sees it before the reveal.',
    chosenHint: (label: string) => `You chose ${label}. Tap it again to take it back.`,
    deck: 'Deck',
    deckNext: 'The deck is used from the next round on.',
    special: { '☕': 'Break', '?': 'No idea', '∞': 'Endless' } as Readonly<Record<string, string>>,
  },

  table: {
    quick: 'Quick round',
    story: 'Story on the table',
    round: (count: number) => `Round ${numbers.format(count)}`,
    seats: 'People at the table',
    watching: (names: readonly string[]) => `Watching: ${people(names)}`,
    watchOnly: 'You are watching. Cards and controls are with the people at the table.',
    alone: 'Nobody else is here yet.',
    aloneText: 'Send the invitation to your team.',
    voted: (count: number, of: number) => `${numbers.format(count)} of ${numbers.format(of)} have voted`,
    everybody: 'Everybody has voted',
    nobody: 'Nobody has voted yet',
    seatVoted: 'has voted',
    seatThinking: 'has not voted yet',
    seatEmpty: 'did not vote',
    seatCard: (label: string) => `voted ${label}`,
    away: 'away',
    late: 'late',
    sealed: 'sealed',
    void: 'void',
    unsure: 'unsure',
    facilitator: 'facilitator',
  },

  reveal: {
    button: 'Reveal',
    confirm: (names: readonly string[]) => {
      const shown =
        names.length > 3 ? [...names.slice(0, 2), plural(names.length - 2, 'other', 'others')] : names
      return `${people(shown)} ${names.length === 1 ? 'has' : 'have'} not voted yet.`
    },
    anyway: 'Reveal anyway',
    wait: 'Wait',
  },

  result: {
    title: 'Result',
    votes: (count: number) => plural(count, 'vote', 'votes'),
    median: 'Median',
    mean: 'Mean',
    nearest: 'Nearest',
    spread: 'Spread',
    spreadCards: (steps: number) => (steps === 0 ? 'none' : plural(steps, 'card', 'cards')),
    agreement: 'Agreement',
    consensus: 'Consensus',
    apart: 'Apart from the count',
    number: (value: number) => numbers.format(value),
    share: (value: number) => percents.format(value),
    nobody: 'No vote counted',
    noMiddle: 'No card to go by',
    speak: (lowest: string, low: readonly string[], highest: string, high: readonly string[]) =>
      `${people(low)} (${lowest}) and ${people(high)} (${highest}) speak first.`,
    agreed: 'Everybody chose the same card.',
    opened: (count: number, of: number) => `${numbers.format(count)} of ${numbers.format(of)} opened`,
    sealed: (name: string) => `${isolate(name)}’s card opens when ${isolate(name)} is back.`,
    late: (name: string) => `${isolate(name)} voted after the reveal. The vote is not counted.`,
    admit: 'Count it',
    void: (name: string, cards: readonly string[]) =>
      `${isolate(name)} voted twice at once${cards.length ? ` (${lists.format(cards)})` : ''}. Neither is counted.`,
    revealedBy: (names: readonly string[]) => `Revealed by ${people(names)}`,
  },

  settle: {
    title: 'Estimate',
    suggestion: 'Suggested: the median',
    button: (label: string) => `Settle at ${label}`,
    choose: 'Choose the estimate',
    by: (name: string) => `Settled by ${isolate(name)}`,
    change: 'Change the estimate',
    cancel: 'Keep it',
    again: 'Vote again',
    next: 'Next story',
    quick: 'New quick round',
    conflict: 'Two estimates',
    chooseBelow: 'Choose one below',
    conflictText: 'They were made apart from each other. Choose the one that stays.',
    conflictBy: (name: string, label: string) => `${isolate(name)} settled at ${label}`,
    either: (labels: readonly string[]) => alternatives.format(labels),
    keep: (label: string) => `Keep ${label}`,
  },

  backlog: {
    title: 'Backlog',
    count: (settled: number, of: number) => `${numbers.format(settled)} of ${numbers.format(of)} estimated`,
    empty: 'No stories yet. Add one, or paste a list: every line becomes a story. A quick round needs none.',
    emptyWatching: 'No stories yet.',
    quick: 'Quick round',
    quickText: 'Vote without a story',
    add: 'Add stories',
    placeholder: 'Add a story, or paste a list',
    addButton: (count: number) => (count > 1 ? `Add ${plural(count, 'story', 'stories')}` : 'Add'),
    untitled: 'Story without a title',
    edit: 'Title of the story',
    voteShort: 'Vote',
    vote: (title: string) => `Put on the table: ${title}`,
    onTable: 'On the table',
    more: (title: string) => `More for ${title}`,
    up: 'Move up',
    down: 'Move down',
    remove: 'Remove',
    removed: (title: string) => `Removed “${title}”.`,
    estimate: (label: string) => `Estimate ${label}`,
    conflict: (labels: readonly string[]) => `Conflicting estimates: ${lists.format(labels)}`,
  },

  invite: {
    open: 'Invite',
    title: 'Invite your team',
    text: 'Whoever opens this link sits down, types a name and votes.',
    member: 'Link to take part',
    observer: 'Link to watch',
    observerText: 'Observers see everything and cannot change anything.',
    copy: 'Copy',
    copyLink: 'Copy the invitation',
    copied: 'Copied',
    failed: 'This browser does not let us copy. The link is selected: copy it yourself.',
    share: 'Share …',
    qr: 'QR code of the link to take part',
    qrObserver: 'QR code of the link to watch',
    relayTitle: 'What the relay can see',
    relay: [
      'It carries your session between devices and keeps it, encrypted. The key is in the part of the link after the #, which a browser never sends.',
      'It sees: that devices are connected, when, from which network address, and roughly how much they send.',
      'It cannot see: names, stories, votes, estimates, or the key. It cannot change them unnoticed either.',
      'Whoever has the link is in. Send it the way you would send the backlog itself.',
    ],
  },

  saved: {
    title: 'Where your changes are',
    relay: 'Saved at the relay',
    saving: 'Saving …',
    connecting: 'Connecting …',
    offline: (since: number) => `Offline since ${clock.format(since)}`,
    unkept: 'Not kept at the relay',
    refused: 'Refused by the relay',
    notSaved: 'Not saved on this device',
    trouble: (trouble: 'full' | 'unavailable' | 'broken') =>
      ({
        full: 'its storage is full.',
        unavailable: 'the browser refuses storage here, as in a private window.',
        broken: 'its storage is damaged.',
      })[trouble],
    waiting: (count: number) => plural(count, 'change waits', 'changes wait'),
    onDevice: 'Everything is saved on this device.',
    onDeviceSaving: 'Being saved on this device …',
    notOnDevice: (why: string) =>
      `Nothing can be kept on this device: ${why} Keep this page open until the relay has it.`,
    atRelay: 'The relay has everything.',
    atRelayWaiting: (count: number) => `${plural(count, 'change is', 'changes are')} not at the relay yet.`,
    relayConnecting: 'Looking for the relay …',
    relayOffline: (since: number) =>
      `The relay has not been reachable since ${clock.format(since)}. Go on: everything is merged when it is back.`,
    relayUnkept:
      'The relay passes changes on but cannot keep them at the moment. They are on the devices of everybody here, and are kept as soon as it can.',
    relayRefused: (why: string) => `The relay refused this session: ${why}`,
  },

  help: {
    title: 'Keys',
    rows: [
      ['1 3', 'Choose a card by typing what is on it'],
      ['← →', 'Move along your hand'],
      ['R', 'Reveal'],
      ['N', 'Next story, after the reveal'],
      ['Alt ↑ ↓', 'Move a story in the backlog'],
      ['?', 'This help'],
    ] as readonly (readonly [string, string])[],
    how: 'How votes stay secret',
    text: 'Your card is sealed on your device before it is sent. Only a reveal, which everybody sees, opens the cards, and every device checks that no card was exchanged.',
  },

  problem: {
    damagedLink: {
      title: 'This link is damaged',
      text: 'Part of the invitation is missing or was changed on the way. Ask for the link again and copy all of it, including what follows the #.',
    },
    missingSecret: {
      title: 'This link is not complete',
      text: 'The part after the # is missing: it is the key to the session, and this device has not kept it. Ask for the whole link.',
    },
    unknownPath: {
      title: 'There is nothing here',
      text: 'The address leads to no page of Facedown. Your sessions are on the home page.',
    },
    storage: {
      title: 'This browser refuses to keep anything',
      text: 'Without storage a session would be lost when the page closes. Leave the private window, or allow storage for this site, and open the link again.',
    },
    refused: {
      title: 'The relay refused this session',
      text: 'Ask the person who invited you whether the session still exists.',
    },
    home: 'Go to the home page',
    retry: 'Try again',
  },

  undo: 'Undo',
  close: 'Close',
  announce: {
    revealedMedian: (label: string) => `Revealed: median ${label}`,
    revealedConsensus: (label: string) => `Revealed: consensus on ${label}`,
    revealed: 'Revealed',
    settled: (label: string) => `Settled at ${label}`,
    conflict: 'Two estimates were made. Choose one.',
  },
} as const
