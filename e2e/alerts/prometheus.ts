import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { freePort } from '../../relay/free-port.testing.ts'

const rules = new URL('../../relay/deploy/alerts.yaml', import.meta.url)

interface Rules {
  readonly groups: readonly { readonly rules: readonly { readonly alert: string; readonly expr: string }[] }[]
}

/** A Prometheus that looks at relays every second, with the rules that operators load; only their times are seconds instead of minutes. */
export class Prometheus {
  readonly #url: string
  readonly #targets: string
  readonly #relays = new Map<string, string>()
  readonly #stop: () => Promise<void>

  private constructor(url: string, targets: string, stop: () => Promise<void>) {
    this.#url = url
    this.#targets = targets
    this.#stop = stop
  }

  static async start(folder: string): Promise<Prometheus> {
    const written = (name: string, content: object) => {
      writeFileSync(join(folder, name), JSON.stringify(content)) // JSON is YAML
      return join(folder, name)
    }
    const targets = written('targets.json', [])
    const config = written('prometheus.yaml', {
      global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
      rule_files: [written('rules.yaml', quickRules())],
      scrape_configs: [
        { job_name: 'facedown', file_sd_configs: [{ files: [targets], refresh_interval: '1s' }] },
      ],
    })
    const listen = `127.0.0.1:${await freePort()}`
    const words = [`--config.file=${config}`, `--storage.tsdb.path=${join(folder, 'series')}`]
    const process = spawn('prometheus', [...words, `--web.listen-address=${listen}`, '--log.level=error'], {
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    const failed = new Promise<never>((_, reject) => {
      process.once('error', () =>
        reject(new Error('prometheus is missing. Get it as root with: apt-get install -y prometheus')),
      )
      process.once('exit', () => reject(new Error('prometheus did not start')))
    })
    failed.catch(() => {})
    const ended = once(process, 'exit')
    const prometheus = new Prometheus(`http://${listen}`, targets, async () => {
      process.kill('SIGKILL')
      await ended
    })
    await Promise.race([failed, prometheus.#ready()])
    return prometheus
  }

  /** From now on it is looked at, under this name. */
  watch(name: string, url: string): void {
    this.#relays.set(name, new URL(url).host)
    const targets = [...this.#relays].map(([instance, host]) => ({ targets: [host], labels: { instance } }))
    writeFileSync(`${this.#targets}.new`, JSON.stringify(targets))
    renameSync(`${this.#targets}.new`, this.#targets) // it may be reading
  }

  /** What is firing, as `alert relay`. */
  async firing(): Promise<Set<string>> {
    const answer = await fetch(`${this.#url}/api/v1/alerts`)
    const { data } = (await answer.json()) as { data: { alerts: readonly Alert[] } }
    const loud = data.alerts.filter(({ state }) => state === 'firing')
    return new Set(loud.map(({ labels }) => `${labels.alertname} ${labels.instance}`))
  }

  /** How many samples it has of a relay: without any, silence would say nothing. */
  async samples(name: string): Promise<number> {
    const query = encodeURIComponent(`count_over_time(facedown_connections{instance="${name}"}[1h])`)
    const answer = await fetch(`${this.#url}/api/v1/query?query=${query}`)
    const { data } = (await answer.json()) as { data: { result: readonly { value: [number, string] }[] } }
    return Number(data.result[0]?.value[1] ?? 0)
  }

  stop(): Promise<void> {
    return this.#stop()
  }

  async #ready(): Promise<void> {
    for (;;) {
      const isReady = await fetch(`${this.#url}/-/ready`).then(
        ({ ok }) => ok,
        () => false,
      )
      if (isReady) return
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}

interface Alert {
  readonly state: string
  readonly labels: { readonly alertname: string; readonly instance: string }
}

export function alertNames(): string[] {
  return readRules().groups.flatMap((group) => group.rules.map(({ alert }) => alert))
}

/** What has to last for minutes lasts for 2 s; what is counted over 5 min is counted over 15 s, over longer over 60 s. Thresholds stay. */
function quickRules(): Rules {
  const { groups } = readRules()
  const quick = (expr: string) =>
    expr.replace(/\[(\d+)m\]/g, (_, minutes) => (Number(minutes) > 5 ? '[60s]' : '[15s]'))
  return {
    groups: groups.map((group) => ({
      ...group,
      rules: group.rules.map((rule) => ({
        ...rule,
        expr: quick(rule.expr),
        ...('for' in rule ? { for: '2s' } : {}),
      })),
    })),
  }
}

function readRules(): Rules {
  return parse(readFileSync(rules, 'utf8'))
}
