import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { started } from '../fixtures.testing.ts'
import { readConfig } from '../settings/config.ts'

const folder = join(import.meta.dirname, 'kubernetes')
const { resources } = parse(readFileSync(join(folder, 'kustomization.yaml'), 'utf8'))
const manifests: Manifest[] = resources.flatMap((file: string) =>
  parseAllDocuments(readFileSync(join(folder, file), 'utf8'), { merge: true }).map((document) =>
    document.toJS(),
  ),
)

type Words = Readonly<Record<string, string>>

interface Container {
  readonly env: readonly { readonly name: string; readonly value: string }[]
  readonly ports: readonly { readonly name: string }[]
  readonly startupProbe: Probe
  readonly livenessProbe: Probe
  readonly readinessProbe: Probe
}

interface Probe {
  readonly httpGet: { readonly path: string }
}

/** Kubernetes' own schema has checked them when this is relied on. */
interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string }
  readonly data: Words
  readonly spec: {
    readonly selector: Words & { readonly matchLabels: Words }
    readonly template: {
      readonly metadata: { readonly labels: Words }
      readonly spec: { readonly containers: readonly Container[] }
    }
    readonly ports: readonly { readonly name: string; readonly targetPort?: string }[]
    readonly podSelector: { readonly matchLabels?: Words }
    readonly ingress?: readonly { readonly from: readonly Peer[]; readonly ports?: readonly Port[] }[]
    readonly egress?: readonly { readonly to: readonly Peer[]; readonly ports?: readonly Port[] }[]
    readonly scaleTargetRef: { readonly kind: string; readonly name: string }
    readonly serviceName: string
  }
}

interface Peer {
  readonly ipBlock?: { readonly cidr: string }
}

interface Port {
  readonly port: number | string
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>
  readonly volumes: Readonly<Record<string, null>>
}

interface Service {
  readonly image: string
  readonly build: { readonly context: string; readonly dockerfile: string }
  readonly volumes?: readonly string[]
  readonly depends_on?: readonly string[] | Readonly<Record<string, unknown>>
}

test('every file is part of what is applied', () => {
  const files = readdirSync(folder).filter((name) => name !== 'kustomization.yaml')
  expect([...resources].sort()).toEqual(files.sort())
})

test.each(manifests.map((manifest) => [`${manifest.kind} ${manifest.metadata.name}`, manifest] as const))(
  '%s is what Kubernetes knows under that name',
  async (_, manifest) => {
    const path = `kubernetes-models/${manifest.apiVersion}/${manifest.kind}`
    const { [String(manifest.kind)]: Model } = await import(/* @vite-ignore */ path)
    new Model(manifest).validate()
  },
)

test('a manifest with something else than Kubernetes expects is refused', async () => {
  const { Service } = await import('kubernetes-models/v1/Service')
  const wrong = parse('{ apiVersion: v1, kind: Service, spec: { ports: [{ port: 80a }] } }')
  expect(() => new Service(wrong).validate()).toThrow()
})

test('what names other parts names parts that are there', () => {
  const pods = withPods().map(({ spec }) => spec.template)
  const isPod = (selector: Words) => pods.some(({ metadata }) => isWithin(selector, metadata.labels))
  const ports = pods.flatMap(({ spec }) =>
    spec.containers.flatMap((each) => each.ports.map(({ name }) => name)),
  )
  for (const { spec } of kinds('Service')) {
    expect(isPod(spec.selector)).toBe(true)
    for (const { targetPort, name } of spec.ports) expect(ports).toContain(targetPort ?? name)
  }
  for (const { spec } of kinds('PodDisruptionBudget')) expect(isPod(spec.selector.matchLabels)).toBe(true)
  for (const { spec } of kinds('HorizontalPodAutoscaler')) {
    expect(namesOf(spec.scaleTargetRef.kind)).toContain(spec.scaleTargetRef.name)
  }
  for (const { spec } of kinds('StatefulSet')) expect(namesOf('Service')).toContain(spec.serviceName)
})

test('NATS may link with other regions, at the port the handbook has, and only there does anybody leave or enter', () => {
  const handbook = readFileSync(join(import.meta.dirname, '../OPERATING.md'), 'utf8')
  const leafs = Number(/leafnodes \{ port: (\d+)/.exec(handbook)?.[1])
  const isAbroad = (peers: readonly Peer[]) => peers.some(({ ipBlock }) => ipBlock)
  const ways = kinds('NetworkPolicy').flatMap(
    ({ metadata: { name }, spec: { ingress = [], egress = [] } }) => [
      ...ingress.map(({ from, ports }) => ({ name, way: 'in', isAbroad: isAbroad(from), ports })),
      ...egress.map(({ to, ports }) => ({ name, way: 'out', isAbroad: isAbroad(to), ports })),
    ],
  )
  expect(ways.filter((each) => each.isAbroad)).toEqual(
    ['in', 'out'].map((way) => ({ name: 'nats', way, isAbroad: true, ports: [{ port: leafs }] })),
  )
})

test('the settings are such that the program takes them', () => {
  const [shared] = kinds('ConfigMap').map(({ data }) => data)
  for (const { env } of containers()) {
    const own = Object.fromEntries(env.map(({ name, value }) => [name, value]))
    const config = readConfig({ ...shared, ...own })
    expect(config).toMatchObject({ role: own.ROLE, natsUrl: 'nats:4222', trustProxy: true })
  }
})

test('a relay answers what the probes ask', async () => {
  const relay = await started()
  const probes = containers().flatMap((each) => [each.startupProbe, each.livenessProbe, each.readinessProbe])
  const paths = new Set(probes.map(({ httpGet }) => httpGet.path))
  expect(paths).toEqual(new Set(['/healthz', '/readyz']))
  for (const path of paths) expect((await fetch(relay.url + path)).status).toBe(200)
})

test.each(['compose.yaml', 'compose.region.yaml'])('%s mounts what is there and grants nothing', (file) => {
  const compose: Compose = parse(readFileSync(join(import.meta.dirname, file), 'utf8'), { merge: true })
  for (const [name, service] of Object.entries(compose.services)) {
    for (const volume of service.volumes ?? []) {
      const [from = ''] = volume.split(':')
      const isThere = from.startsWith('.')
        ? existsSync(join(import.meta.dirname, from))
        : from in compose.volumes
      expect([name, from, isThere]).toEqual([name, from, true])
    }
    const { depends_on: others = [] } = service
    const needed = Array.isArray(others) ? others : Object.keys(others)
    expect(Object.keys(compose.services)).toEqual(expect.arrayContaining(needed))
    if (service.image !== 'facedown') continue
    const least = { read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] }
    expect(service).toMatchObject(least)
    expect(existsSync(join(import.meta.dirname, service.build.context, service.build.dockerfile))).toBe(true)
  }
})

function kinds(name: string): Manifest[] {
  return manifests.filter(({ kind }) => kind === name)
}

function namesOf(kind: string): string[] {
  return kinds(kind).map(({ metadata }) => metadata.name)
}

function withPods(): Manifest[] {
  return [...kinds('Deployment'), ...kinds('StatefulSet')]
}

function containers(): Container[] {
  return withPods().flatMap(({ spec }) => spec.template.spec.containers)
}

function isWithin(selector: Words, labels: Words): boolean {
  return Object.entries(selector).every(([name, value]) => labels[name] === value)
}
