import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { load, loadAll } from 'js-yaml';
import { INCIDENT_KINDS } from '../../src/incidents/incidents.port.js';
import { SWEEP_NAMES } from '../../src/sweeps/sweep.js';
import { ADMIN_KEY, startStack, type TestStack } from '../support/app.js';

const CHART = join(__dirname, '../../deploy/helm/tallylight');
const ALERTS = readFileSync(join(CHART, 'files/alerts.yaml'), 'utf8');
const DASHBOARD = readFileSync(join(CHART, 'files/dashboard.json'), 'utf8');

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels?: { readonly severity?: string };
  readonly annotations?: { readonly summary?: string; readonly runbook?: string };
}
interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly spec?: {
    readonly selector?: { readonly matchLabels?: Readonly<Record<string, string>> };
    readonly template?: {
      readonly metadata: { readonly labels: Readonly<Record<string, string>> };
      readonly spec: {
        readonly terminationGracePeriodSeconds: number;
        readonly containers: readonly {
          readonly env: readonly { readonly name: string; readonly value: string }[];
          readonly livenessProbe: { readonly httpGet: { readonly path: string } };
          readonly readinessProbe: { readonly httpGet: { readonly path: string } };
        }[];
      };
    };
    readonly groups?: readonly unknown[];
  };
}

const rules = (load(ALERTS) as { groups: { rules: Rule[] }[] }).groups.flatMap((group) => group.rules);
const panels = (JSON.parse(DASHBOARD) as { panels: { id: number; targets?: { expr: string }[] }[] }).panels;
const queries = [
  ...rules.map(({ expr }) => expr),
  ...panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
];

describe('what is deployed to watch the product', () => {
  let stack: TestStack;
  let families: ReadonlySet<string>;
  beforeAll(async () => {
    stack = await startStack();
    const instance = await stack.start();
    const page = await fetch(`${instance.url}/metrics`, {
      headers: { authorization: `Bearer ${ADMIN_KEY}` },
    });
    families = new Set([...(await page.text()).matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name!));
  });
  afterAll(() => stack.close());

  it('asks for metrics that there are', () => {
    const asked = queries.flatMap(
      (query) => query.match(/\b(?:tallylight|nodejs|process)_[a-z0-9_]+/g) ?? [],
    );
    const unknown = asked.filter(
      (name) => !families.has(name) && !families.has(name.replace(/_(bucket|sum|count)$/, '')),
    );
    expect([asked.length > 40, unknown]).toEqual([true, []]);
  });

  it('asks for kinds of incidents and sweeps that there are', () => {
    const named = (label: string): string[] =>
      queries.flatMap((query) =>
        [...query.matchAll(new RegExp(`\\b${label}="(\\w+)"`, 'g'))].map(([, name]) => name!),
      );
    expect(named('kind').filter((kind) => !INCIDENT_KINDS.some((known) => known === kind))).toEqual([]);
    expect(named('sweep').filter((sweep) => !SWEEP_NAMES.some((known) => known === sweep))).toEqual([]);
  });

  it('says of each alert what is wrong and what to do', () => {
    const bare = rules.filter(
      ({ labels, annotations }) =>
        !['critical', 'warning'].includes(labels?.severity ?? '') ||
        !annotations?.summary ||
        (annotations.runbook ?? '').length < 40,
    );
    expect(bare).toEqual([]);
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
  });

  it('has panels with ids of their own', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  });
});

const HELM = [
  '/usr/local/bin/helm',
  '/usr/bin/helm',
  process.env.HELM ?? '',
  join(homedir(), 'go/bin/helm'),
].find((path) => path !== '' && existsSync(path));
const withHelm = HELM === undefined ? describe.skip : describe; // without helm nothing renders the chart

withHelm('the Helm chart', () => {
  const helm = (...args: string[]): string => execFileSync(HELM!, args, { encoding: 'utf8' });
  const render = (values: string, ...more: string[]): Manifest[] =>
    (
      loadAll(helm('template', 'tl', CHART, '-f', join(CHART, 'ci', values), ...more)) as (Manifest | null)[]
    ).filter((manifest): manifest is Manifest => manifest !== null);

  it.each(readdirSync(join(CHART, 'ci')))('is accepted by helm lint with %s', (values) => {
    expect(helm('lint', '--strict', CHART, '-f', join(CHART, 'ci', values))).toContain('0 chart(s) failed');
  });

  it('renders roles apart, each with its probes, and everything that can be switched on', () => {
    const all = render('split-values.yaml');
    const kinds = all.map(({ kind, metadata }) => `${kind} ${metadata.name}`).toSorted();
    expect(kinds).toEqual([
      'ConfigMap tl',
      'ConfigMap tl-dashboard',
      'Deployment tl-api',
      'Deployment tl-worker',
      'Ingress tl',
      'PodDisruptionBudget tl-api',
      'PodDisruptionBudget tl-worker',
      'PrometheusRule tl',
      'Service tl',
      'Service tl-metrics',
      'ServiceAccount tl',
      'ServiceMonitor tl',
    ]);
    for (const { kind, spec } of all) {
      if (kind !== 'Deployment') continue;
      expect(spec?.template?.metadata.labels).toMatchObject(
        spec?.selector?.matchLabels ?? { none: 'selected' },
      );
      const { containers, terminationGracePeriodSeconds } = spec!.template!.spec;
      expect(terminationGracePeriodSeconds).toBeGreaterThan(15);
      expect(containers[0]?.livenessProbe.httpGet.path).toBe('/health/live');
      expect(containers[0]?.readinessProbe.httpGet.path).toBe('/health/ready');
    }
    expect(all.find(({ kind }) => kind === 'PrometheusRule')?.spec?.groups).toEqual(
      (load(ALERTS) as { groups: unknown[] }).groups,
    );
  });

  it('makes a Secret where none is named, and two processes that do everything', () => {
    const all = render('all-values.yaml');
    const kinds = all.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    expect(kinds).toEqual(
      expect.arrayContaining(['Secret tl', 'Deployment tl-all', 'PodDisruptionBudget tl-all']),
    );
  });

  it.each([
    ['nobody would run jobs', ['--set', 'roles.all.replicas=0,roles.api.replicas=1']],
    ['nobody would serve', ['--set', 'roles.all.replicas=0,roles.worker.replicas=1']],
    ['secrets.TALLYLIGHT_ADMIN_KEY is missing', ['--set', 'secrets=null']],
    ['PUBLIC_URL', ['--set', 'config.PUBLIC_URL=nowhere']],
    ['STORAGE_URL', ['--set', 'config.STORAGE_URL=nowhere']],
  ])('refuses values where %s', (why, more) => {
    const values = join(CHART, 'ci/all-values.yaml');
    const { status, stderr } = spawnSync(HELM!, ['template', 'tl', CHART, '-f', values, ...more], {
      encoding: 'utf8',
    });
    expect([status, stderr]).toEqual([1, expect.stringContaining(why)]);
  });
});
