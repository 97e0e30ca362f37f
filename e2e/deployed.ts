import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { isCompressed } from '../relay/http/compress.ts'
import { RelayProcess } from './relay.ts'

/** A copy of the build, where newer versions of the app can be put. */
export class Deployed {
  readonly relay: RelayProcess
  readonly #folder: string

  private constructor(folder: string, relay: RelayProcess) {
    this.#folder = folder
    this.relay = relay
  }

  static async start(): Promise<Deployed> {
    const folder = mkdtempSync(join(tmpdir(), 'facedown-deployed-'))
    cpSync('dist', join(folder, 'dist'), { recursive: true })
    cpSync('package.json', join(folder, 'package.json'))
    symlinkSync(resolve('node_modules'), join(folder, 'node_modules'))
    return new Deployed(folder, await RelayProcess.start(join(folder, 'dist')))
  }

  /** As after a build of changed sources: other names for the files, another version, and a relay that has only those. */
  async release(version: string): Promise<void> {
    await this.relay.stop()
    const client = join(this.#folder, 'dist/client')
    const assets = readdirSync(join(client, 'assets')).filter((name) => !isCompressed(name))
    const renamed = new Map(assets.map((name) => [name, name.replace(/(?=\.\w+$)/, `-${version}`)]))
    for (const [name, other] of renamed)
      renameSync(join(client, 'assets', name), join(client, 'assets', other))
    for (const entry of readdirSync(client, { recursive: true, encoding: 'utf8' })) {
      if (!/\.(js|css|html)$/.test(entry)) continue
      let text = readFileSync(join(client, entry), 'utf8')
      for (const [name, other] of renamed) text = text.replaceAll(name, other)
      if (entry === 'service-worker.js') text = text.replace(/(?<=version-\$\{")\w+/, version)
      if (entry.endsWith('.html')) text = text.replace('<html', `<html data-version="${version}"`)
      writeFileSync(join(client, entry), text)
    }
    await this.relay.resume()
  }

  async remove(): Promise<void> {
    await this.relay.remove()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
