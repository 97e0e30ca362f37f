/** Made from the English catalogs by `UPDATE=1 npx vitest run --project client locales`. */
export interface Messages {
  'home.opened': { time: string }
  'home.more': { name: string }
  'home.rename': undefined
  'home.renameCancel': undefined
  'home.removeHere': undefined
  'home.delete': undefined
  'home.title': undefined
  'home.text': undefined
  'home.start': undefined
  'home.sessions': undefined
  'home.removed': { name: string }
  'session.unnamed': undefined
  'session.name': undefined
  'session.namePlaceholder': undefined
  'session.home': undefined
  'session.opening': undefined
  'session.waiting': undefined
  'session.waitingOffline': undefined
  'session.main': undefined
  'session.invite': undefined
  'session.copyInvitation': undefined
  'session.copied': undefined
  'session.more': undefined
  'name.label': undefined
  'name.placeholder': undefined
  'name.join': undefined
  'name.save': undefined
  'name.change': { name: string }
  'name.needed': undefined
  'name.neededOnly': undefined
  'name.cut': { limit: number }
  'name.you': undefined
  'name.yourSeat': undefined
  'name.unknown': undefined
  'hand.label': undefined
  'hand.card': { label: string }
  'hand.cardMeaning': { label: string; meaning: string }
  'hand.break': undefined
  'hand.noIdea': undefined
  'hand.endless': undefined
  'hand.hint': undefined
  'hand.chosenHint': { label: string }
  'hand.deckBefore': undefined
  'hand.unsure': undefined
  'table.quick': undefined
  'table.story': undefined
  'table.round': { round: number }
  'table.seats': undefined
  'table.watchOnly': undefined
  'table.alone': undefined
  'table.aloneText': undefined
  'table.voted': { count: number; of: number }
  'table.everybody': undefined
  'table.nobody': undefined
  'table.seatVoted': undefined
  'table.seatThinking': undefined
  'table.seatEmpty': undefined
  'table.seatCard': { label: string }
  'table.away': undefined
  'table.late': undefined
  'table.sealed': undefined
  'table.void': undefined
  'table.unsure': undefined
  'table.facilitator': undefined
  'table.tookOver': undefined
  'table.takePart': undefined
  'reveal.button': undefined
  'reveal.confirm': { count: number; names: string }
  'reveal.others': { count: number }
  'reveal.anyway': undefined
  'reveal.wait': undefined
  'backlog.title': undefined
  'backlog.count': { settled: number; of: number }
  'backlog.empty': undefined
  'backlog.emptyWatching': undefined
  'backlog.add': undefined
  'backlog.placeholder': undefined
  'backlog.addButton': { count: number }
  'backlog.untitled': undefined
  'backlog.sum': { without: number; sum: number }
  'backlog.import': undefined
  'backlog.menu': undefined
  'saved.title': undefined
  'saved.relay': undefined
  'saved.saving': undefined
  'saved.connecting': undefined
  'saved.offline': { time: string }
  'saved.unkept': undefined
  'saved.refused': undefined
  'saved.notSaved': undefined
  'saved.waiting': { count: number }
  'button.undo': undefined
  'button.close': undefined
  'announce.median': { label: string }
  'announce.consensus': { label: string }
  'announce.revealed': undefined
  'announce.settled': { label: string }
  'announce.conflict': undefined
  'announce.late': { name: string }
  'announce.tookOver': { name: string }
  'panel.unreachable': undefined
  'settings.title': undefined
  'deck.fibonacci': undefined
  'deck.modified': undefined
  'deck.shirts': undefined
  'deck.powers': undefined
  'deck.hours': undefined
  'deck.halfSteps': undefined
  'deck.sequential': undefined
  'deck.thumbs': undefined
  'react.title': undefined
  'timer.title': undefined
  'update.ready': undefined
  'update.reload': undefined
  'file.open': undefined
  'invite.title': undefined
  'invite.text': undefined
  'invite.member': undefined
  'invite.observer': undefined
  'invite.observerText': undefined
  'invite.copy': undefined
  'invite.copied': undefined
  'invite.failed': undefined
  'invite.share': undefined
  'invite.qr': undefined
  'invite.qrObserver': undefined
  'invite.relayTitle': undefined
  'invite.relayCarries': undefined
  'invite.relaySees': undefined
  'invite.relayBlind': undefined
  'invite.relayWhoever': undefined
  'help.title': undefined
  'help.choose': undefined
  'help.move': undefined
  'help.reveal': undefined
  'help.next': undefined
  'help.moveStory': undefined
  'help.help': undefined
  'help.how': undefined
  'help.text': undefined
  'help.unsure': undefined
  'help.projector': undefined
  'help.undo': undefined
  'help.singleKeysOff': undefined
  'delete.title': { name: string }
  'delete.text': undefined
  'delete.confirm': undefined
  'delete.deleting': undefined
  'delete.keep': undefined
  'delete.deleted': undefined
  'delete.offline': undefined
  'delete.refused': undefined
  'person.nudge': undefined
  'person.nudged': undefined
  'person.facilitator': undefined
  'person.hide': undefined
  'person.rename': undefined
  'person.watch': undefined
  'person.watching': undefined
  'projector.leave': undefined
  'projector.scan': undefined
  'projector.enter': undefined
  'back.title': undefined
  'back.rounds': undefined
  'back.estimates': undefined
  'back.summary': undefined
  'back.gathering': undefined
  'back.noRounds': undefined
  'back.noEstimates': undefined
  'back.matrixText': undefined
  'back.stories': { count: number }
  'back.withdrawn': undefined
  'back.revealed': { time: string }
  'back.open': { count: number }
  'back.late': { name: string }
  'back.sealed': { name: string }
  'back.void': { name: string }
  'back.unsure': { name: string }
  'back.median': { label: string }
  'back.mean': { value: string }
  'back.agreement': { share: string }
  'back.movement': { from: string; to: string; agreed: string; agrees: string }
  'back.moved': { name: string; from: string; to: string }
  'back.settledFact': undefined
  'back.settledOf': { settled: number; of: number }
  'back.sum': undefined
  'back.roundsFact': undefined
  'back.consensus': undefined
  'back.medianTime': undefined
  'back.distribution': undefined
  'back.card': undefined
  'back.storiesColumn': undefined
  'back.agreementCourse': undefined
  'back.agreementColumn': undefined
  'back.story': undefined
  'back.time': undefined
  'back.durations': undefined
  'back.asTable': undefined
  'import.heading': undefined
  'import.text': undefined
  'import.choose': undefined
  'import.drop': undefined
  'import.tooLarge': undefined
  'import.empty': undefined
  'import.own': undefined
  'import.reading': undefined
  'import.columns': undefined
  'import.title': undefined
  'import.key': undefined
  'import.link': undefined
  'import.notes': undefined
  'import.estimate': undefined
  'import.none': undefined
  'import.column': { at: number }
  'import.encoding': undefined
  'import.preview': { of: number; shown: number }
  'import.known': { count: number }
  'import.retitle': { count: number }
  'import.problems': { count: number }
  'import.line': { line: number }
  'import.moreProblems': { count: number }
  'import.adding': undefined
  'import.button': { count: number }
  'import.stop': undefined
  'import.other': undefined
  'import.added': { count: number }
  'import.retitled': { count: number }
  'import.done': undefined
  'problem.row.noTitle': undefined
  'problem.row.titleCut': undefined
  'problem.row.notesCut': undefined
  'problem.row.keyCut': undefined
  'problem.row.linkLeftOut': undefined
  'problem.row.openQuote': undefined
  'problem.row.moreCells': undefined
  'problem.row.tooManyRows': undefined
  'problem.damagedLink': undefined
  'problem.damagedLinkText': undefined
  'problem.missingSecret': undefined
  'problem.missingSecretText': undefined
  'problem.unknownPath': undefined
  'problem.unknownPathText': undefined
  'problem.storage': undefined
  'problem.storageText': undefined
  'problem.deleted': undefined
  'problem.deletedText': undefined
  'problem.refused': undefined
  'problem.refusedText': undefined
  'problem.home': undefined
  'problem.retry': undefined
  'export.heading': undefined
  'export.backlog': undefined
  'export.csvText': undefined
  'export.for': undefined
  'export.generic': undefined
  'export.jira': undefined
  'export.azure': undefined
  'export.github': undefined
  'export.linear': undefined
  'export.copyMarkdown': undefined
  'export.notCopied': undefined
  'export.session': undefined
  'export.sessionText': undefined
  'export.idle': { days: number }
  'export.encrypted': undefined
  'export.plain': undefined
  'export.kinds': undefined
  'export.saved': { file: string }
  'decks.title': undefined
  'decks.text': undefined
  'decks.own': undefined
  'decks.new': undefined
  'decks.used': undefined
  'decks.copy': { name: string }
  'decks.edit': undefined
  'decks.editOne': { name: string }
  'decks.remove': { name: string }
  'decks.name': undefined
  'decks.cards': undefined
  'decks.label': { at: number }
  'decks.number': { label: string }
  'decks.noNumber': undefined
  'decks.special': undefined
  'decks.up': { label: string }
  'decks.down': { label: string }
  'decks.drop': { label: string }
  'decks.more': undefined
  'decks.morePlaceholder': undefined
  'decks.add': undefined
  'decks.save': undefined
  'decks.cancel': undefined
  'decks.taken': undefined
  'decks.noName': undefined
  'decks.longName': undefined
  'decks.tooFew': undefined
  'decks.tooMany': { limit: number }
  'decks.emptyLabel': { at: number }
  'decks.longLabel': { at: number; limit: number }
  'decks.sameLabel': { at: number }
  'decks.badNumber': { at: number }
  'story.details': undefined
  'story.gone': undefined
  'story.title': undefined
  'story.key': undefined
  'story.link': undefined
  'story.noLink': undefined
  'story.linkHint': undefined
  'story.notes': undefined
  'story.notesPlaceholder': undefined
  'story.template': undefined
  'story.templateText': { key: string }
  'story.templateExample': { link: string }
  'story.templateWrong': { key: string }
  'story.done': undefined
  'rules.title': undefined
  'rules.who': undefined
  'rules.anybody': undefined
  'rules.anybodyText': undefined
  'rules.facilitators': undefined
  'rules.facilitatorsText': undefined
  'rules.auto': undefined
  'rules.autoOn': undefined
  'rules.autoText': undefined
  'rules.are': { count: number; names: string }
  'rules.grant': undefined
  'rules.onlyThey': undefined
  'rules.revealBy': { names: string }
  'rules.decideBy': { names: string }
  'rules.nobody': undefined
  'rules.takeOver': undefined
  'phone.title': undefined
  'phone.text': undefined
  'phone.qr': undefined
  'phone.link': undefined
  'phone.warning': undefined
  'session.help': undefined
  'table.watchers': undefined
  'table.hidden': { count: number }
  'table.showHidden': undefined
  'table.foldHidden': undefined
  'table.bringBack': { name: string }
  'table.andOthers': { count: number }
  'table.fewer': undefined
  'result.title': undefined
  'result.votes': { count: number }
  'result.mean': undefined
  'result.nearest': undefined
  'result.spread': undefined
  'result.spreadCards': { count: number }
  'result.agreement': undefined
  'result.apart': undefined
  'result.speak': { low: string; lowest: string; high: string; highest: string }
  'result.agreed': undefined
  'result.sealed': { name: string }
  'result.late': { name: string }
  'result.admit': undefined
  'result.void': { name: string }
  'result.voidCards': { name: string; cards: string }
  'result.sure': { label: string }
  'result.allUnsure': undefined
  'result.unsureName': { name: string }
  'result.median': undefined
  'result.consensus': undefined
  'result.nobody': undefined
  'result.noMiddle': undefined
  'result.opened': { count: number; of: number }
  'settle.button': { label: string }
  'settle.choose': undefined
  'settle.change': undefined
  'settle.cancel': undefined
  'settle.again': undefined
  'settle.next': undefined
  'settle.quick': undefined
  'settle.conflictText': undefined
  'settle.conflictBy': { name: string; label: string }
  'settle.keep': { label: string }
  'settle.title': undefined
  'settle.by': { name: string }
  'settle.conflict': undefined
  'settle.chooseBelow': undefined
  'backlog.up': undefined
  'backlog.down': undefined
  'backlog.remove': undefined
  'backlog.export': undefined
  'backlog.lookingBack': undefined
  'backlog.search': undefined
  'backlog.filter': undefined
  'backlog.openAll': { count: number }
  'backlog.openOne': undefined
  'backlog.details': undefined
  'backlog.rounds': undefined
  'backlog.first': undefined
  'backlog.last': undefined
  'backlog.quick': undefined
  'backlog.quickText': undefined
  'backlog.edit': undefined
  'backlog.voteShort': undefined
  'backlog.vote': { title: string }
  'backlog.onTable': undefined
  'backlog.more': { title: string }
  'backlog.estimate': { label: string }
  'backlog.conflict': { labels: string }
  'backlog.movedTo': { at: number; of: number }
  'backlog.nothingFound': undefined
  'backlog.showAll': undefined
  'backlog.rest': { count: number }
  'backlog.onMyTable': undefined
  'backlog.openLink': { title: string }
  'backlog.hasNotes': undefined
  'backlog.given': { label: string }
  'backlog.openFor': { count: number }
  'backlog.youVoted': undefined
  'backlog.voteAlone': undefined
  'did.removed': { title: string }
  'did.moved': { title: string }
  'did.added': { count: number }
  'did.imported': { count: number }
  'did.renamed': { name: string }
  'did.unnamed': undefined
  'did.deck': { name: string }
  'did.settled': { label: string }
  'did.votedAgain': undefined
  'did.started': { count: number }
  'did.laid': { title: string }
  'did.rules': undefined
  'did.hidden': { name: string }
  'did.link': undefined
  'settings.theme': undefined
  'settings.system': undefined
  'settings.light': undefined
  'settings.dark': undefined
  'settings.language': undefined
  'settings.sound': undefined
  'settings.soundText': undefined
  'settings.singleKeys': undefined
  'settings.singleKeysText': undefined
  'own.text': { story: string }
  'own.back': undefined
  'own.lay': undefined
  'own.next': undefined
  'filter.all': undefined
  'filter.unestimated': undefined
  'filter.open': undefined
  'filter.estimated': undefined
  'filter.conflict': undefined
  'moment.reacted': { name: string; emoji: string }
  'moment.nudged': { name: string }
  'react.good': undefined
  'react.party': undefined
  'react.laugh': undefined
  'react.think': undefined
  'react.love': undefined
  'react.break': undefined
  'timer.minutes': { count: number }
  'timer.stop': undefined
  'timer.over': undefined
  'timer.half': undefined
  'timer.started': { minutes: number }
  'menu.decks': undefined
  'menu.rules': undefined
  'menu.phone': undefined
  'memory.title': { label: string }
  'saved.onDevice': undefined
  'saved.onDeviceSaving': undefined
  'saved.full': undefined
  'saved.unavailable': undefined
  'saved.silent': undefined
  'saved.broken': undefined
  'saved.atRelay': undefined
  'saved.inTwoRegions': undefined
  'saved.atRelayWaiting': { count: number }
  'saved.relayConnecting': undefined
  'saved.relayOffline': { time: string }
  'saved.tryNow': undefined
  'saved.relayUnkept': undefined
  'saved.relayRefused': { why: string }
  'saved.slow': undefined
  'saved.same': undefined
  'saved.differs': undefined
  'refused.malformed': undefined
  'refused.forbidden': undefined
  'refused.origin': undefined
  'refused.version': undefined
  'refused.tooLarge': undefined
  'refused.deleted': undefined
  'hand.opensAlone': undefined
  'hand.opensWithYou': undefined
  'hand.leftBehind': { label: string }
  'result.unopenable': { name: string }
  'back.unopenable': { name: string }
  'result.withoutReveal': { names: string }
  'rules.escrow': undefined
  'rules.escrowOn': undefined
  'rules.escrowText': undefined
  'invite.escrow': undefined
  'table.lowest': undefined
  'table.highest': undefined
  'table.tabVoting': { voted: number; of: number }
  'table.tabRevealed': undefined
  'file.notAFile': undefined
  'file.damaged': undefined
  'file.newer': undefined
  'file.locked': undefined
  'file.invitation': undefined
  'file.unlock': undefined
}
