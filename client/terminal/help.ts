import { actsHelp } from './acts.ts'
import type { Command } from './orders.ts'

const common = `An invitation is the link that the app shows under "Invite". It is a secret, and other users of this machine see the words of a
command: with - it is the first line of the input, and without a word it is taken from FACEDOWN_INVITATION.

--wait <seconds>          how long the relay may take to answer, and at the end to save (10)
--trace                   sends the collector at OTEL_EXPORTER_OTLP_ENDPOINT how long each change took until it was saved, and nothing
                          of what it says; create, join and import know it

A command ends with 0, with 1 when it could not do what it was asked for, and with 2 when it was used wrongly.
`

const own: Readonly<Record<Command, string>> = {
  create: `facedown create <address>  makes a session at a relay and prints the invitation
         --title <text>    how the session is called
         --name <name>     takes a seat in it
         --json            all three invitations; the owner's can delete the session
         --state <folder>  where your secret is kept, see facedown join --help
`,
  join: `facedown join <invitation> takes part in a session: what happens is printed, what is typed is done
         --name <name>     takes a seat; without a name one watches
         --json            an event is a line of JSON
         --watch           reads no input, and goes on until it is interrupted
         --state <folder>  where your secret is kept ($XDG_STATE_HOME/facedown, or ~/.local/state/facedown). With it you are the
                           same participant the next time, and what you voted can be opened

In a session, a line each:

${actsHelp}
`,
  export: `facedown export <invitation> prints the stories of a session with their estimates
         --as <form>       csv (as it is), markdown, json, or facedown: the whole session, encrypted for who has the invitation
         --for <tracker>   columns of a CSV: generic (as it is), jira, azure, github, linear
         --out <file>      writes it there
`,
  import: `facedown import <invitation> <file> adds the stories of a file (- is the input) that are not in the backlog yet
         --column <field>=<heading>  title, key, link, notes or estimate, when the guess is wrong; a number counts the
                           columns from 1, and nothing leaves the field out. May be said several times
         --retitle         gives stories that are there the titles that the file has for them
         --encoding <name> utf-8, windows-1252, shift_jis, …, when it is not what it looks like

The file is a CSV of Jira, Azure DevOps, GitHub, Linear or a spreadsheet, a list with one story a line, or an export of
Facedown: JSON, or the whole session as a .facedown file.
`,
}

export function helpFor(command: Command): string {
  return `${own[command]}\n${common}`
}
