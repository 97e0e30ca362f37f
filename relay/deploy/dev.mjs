/** `npm run dev`: the relay from source, restarted on change, beside Vite's server with hot reload. Ctrl-C ends both. */
import { spawn } from 'node:child_process'

const windows = process.platform === 'win32'
const start = (command, words) => spawn(command, words, { stdio: 'inherit', shell: windows })
const children = [start('tsx', ['watch', '--clear-screen=false', 'relay/main.ts']), start('vite', [])]

const stopAll = () => {
  for (const child of children) child.kill()
}
for (const child of children) {
  child.on('exit', (code) => {
    stopAll()
    process.exitCode = code ?? 0
  })
}
process.on('SIGINT', stopAll)
process.on('SIGTERM', stopAll)
