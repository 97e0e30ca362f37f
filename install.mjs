/**
 * Runs before `npm start`, `npm test` and the other commands that need packages: installs what package-lock.json asks for and is not there yet.
 * With the words "browser", "tracer", "nats", "balancer", "proxies", "units" and "rules" it also sees to those for the tests. Plain JavaScript, because nothing is installed so far.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  stop(`Facedown needs Node 20.19 or newer, but this is ${process.version}. See https://nodejs.org.`)
}
// Not `npm ci`: it refuses a lockfile that leaves out the optional binaries of other systems.
if (!isInstalled()) run('npm', ['install', '--no-save', '--no-audit', '--no-fund'])
if (process.argv.includes('browser')) await provideBrowser()
if (process.argv.includes('tracer')) provideTracer()
if (process.argv.includes('nats')) provideNats()
if (process.argv.includes('balancer')) provideBalancer()
if (process.argv.includes('proxies')) provideProxies()
if (process.argv.includes('units')) provideUnits()
if (process.argv.includes('rules')) providePrometheus()

/** npm keeps beside the packages what it installed; optional ones of other systems are missing from it. */
function isInstalled() {
  const kept = 'node_modules/.package-lock.json'
  if (!existsSync(kept)) return false
  const wanted = JSON.parse(readFileSync('package-lock.json', 'utf8')).packages
  const found = JSON.parse(readFileSync(kept, 'utf8')).packages
  return Object.entries(wanted).every(
    ([path, { version, optional }]) => path === '' || optional || found[path]?.version === version,
  )
}

async function provideBrowser() {
  const { findBrowser, shellOnDebian } = await import('./e2e/find-browser.mjs')
  const found = findBrowser()
  if (found && (found === shellOnDebian || found === process.env.CHROMIUM)) return
  installOnDebian(found ? tryTo : run, 'chromium-headless-shell', 'fonts-noto-color-emoji')
  if (!findBrowser()) {
    stop('The browser tests need Chromium or Chrome. Get one with: npx playwright install chromium')
  }
}

/** It shows what a program asks of the kernel. Only Linux has it. */
function provideTracer() {
  const hasTracer = () => spawnSync('strace', ['-V']).status === 0
  if (process.platform !== 'linux' || hasTracer()) return
  installOnDebian(run, 'strace')
  if (!hasTracer()) stop('A test needs strace. Get it as root with: apt-get install -y strace')
}

/** What joins relays and stores of a region. */
function provideNats() {
  const hasNats = () => spawnSync('nats-server', ['--version']).status === 0
  if (hasNats()) return
  installOnDebian(run, 'nats-server')
  if (!hasNats()) {
    stop(
      'The tests of several relays need nats-server: apt-get install nats-server, or https://nats.io/download',
    )
  }
}

function provideBalancer() {
  const hasBalancer = () => spawnSync('haproxy', ['-v']).status === 0
  if (hasBalancer()) return
  installOnDebian(run, 'haproxy')
  if (!hasBalancer())
    stop('The tests of several relays need haproxy. Get it as root with: apt-get install -y haproxy')
}

/** What operators put in front of a relay, for TLS. */
function provideProxies() {
  const hasProxies = () => ['caddy', 'nginx'].every((name) => spawnSync(name, ['-h']).error === undefined)
  if (hasProxies()) return
  installOnDebian(run, 'caddy', 'nginx')
  if (!hasProxies())
    stop('The tests of proxies need caddy and nginx. Get them as root with: apt-get install -y caddy nginx')
}

/** Reads units, without running them. Only Linux has it. */
function provideUnits() {
  const hasAnalysis = () => spawnSync('systemd-analyze', ['--version']).status === 0
  if (process.platform !== 'linux' || hasAnalysis()) return
  installOnDebian(run, 'systemd')
  if (!hasAnalysis()) stop('The tests of units need systemd-analyze, which comes with systemd')
}

/** Prometheus fires the alerts, and promtool, which comes with it, checks their rules. */
function providePrometheus() {
  const programs = ['prometheus', 'promtool']
  const hasPrometheus = () => programs.every((name) => spawnSync(name, ['--version']).status === 0)
  if (hasPrometheus()) return
  installOnDebian(run, 'prometheus')
  if (!hasPrometheus()) {
    stop(
      'The tests of the alerts need prometheus and promtool: apt-get install prometheus, or https://prometheus.io/download',
    )
  }
}

/** Only root can. Others are told what to do. */
function installOnDebian(by, ...packages) {
  if (!existsSync('/etc/debian_version') || process.getuid?.() !== 0) return
  by('apt-get', ['update', '-q'])
  by('apt-get', ['install', '-y', '-q', ...packages])
}

/** What is good to have, and not needed. */
function tryTo(command, words) {
  spawnSync(command, words, { stdio: 'ignore', timeout: 120_000 })
}

function run(command, words) {
  try {
    execFileSync(command, words, { stdio: 'inherit', shell: process.platform === 'win32' })
  } catch {
    stop(`"${command} ${words.join(' ')}" did not succeed; what it printed above says why.`)
  }
}

function stop(words) {
  console.error(words)
  process.exit(1)
}
