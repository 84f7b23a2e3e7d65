import {execFileSync} from 'node:child_process';
import {expect, test} from '@jest/globals';
import {parse} from 'yaml';
import {choosePorts} from '../ports.ts';
import {makeCredentials} from './credentials.ts';
import {envVariables, renderClouds, renderEnv, withoutSecrets} from './env-file.ts';

const ports = await choosePorts(0, () => Promise.resolve(true));
const credentials = makeCredentials((bytes) => Buffer.alloc(bytes, 7));
const facts = {dir: '/c', kubeconfig: '/c/admin.kubeconfig', bin: '/b', guests: 'qemu' as const, ports, credentials};

test('has every name that people are promised, for both accounts', () => {
  const names = Object.keys(envVariables(facts));
  const perAccount = ['CRATON_API_KEY', 'CRATON_USER', 'CRATON_PROJECT', 'NODEPOOL_USER', 'NODEPOOL_PASSWORD', 'CS_USER', 'CS_PASSWORD'];
  perAccount.push('OS_USERNAME', 'OS_PASSWORD', 'OS_PROJECT_NAME', 'TOKEN');
  const shared = [
    'KUBECONFIG',
    'KUBECTL',
    'BASALT_URL',
    'BASALT_IMAGE_URL',
    'CRATON_URL',
    'NODEPOOL_URL',
    'CS_BASE',
    'OS_AUTH_URL',
    'OS_REGION_NAME',
    'COMPUTE_URL',
  ];
  expect(names).toEqual(expect.arrayContaining([...shared, ...perAccount, ...perAccount.map((name) => `OTHER_${name}`)]));
});

test('the APIs are at their documented paths, CloudSigma at the root of its own port', () => {
  const url = `http://127.0.0.1:${ports.api}`;
  expect(envVariables(facts)).toMatchObject({
    BASALT_URL: url,
    CRATON_URL: `${url}/v1`,
    NODEPOOL_URL: `${url}/v1`,
    OS_AUTH_URL: `${url}/identity/v2.0`,
    COMPUTE_URL: `${url}/compute/v2.0`,
    CS_BASE: `http://127.0.0.1:${ports.cloudsigma}`,
    OS_REGION_NAME: 'default',
  });
});

test('without our programs there is only Kubernetes', () => {
  const {credentials: _none, ...bare} = facts;
  expect(Object.keys(envVariables(bare))).not.toContain('BASALT_URL');
});

test('without secrets, users and addresses stay', () => {
  const shown = renderEnv(withoutSecrets(envVariables(facts), credentials));
  expect(shown).toMatch(/^OS_USERNAME=demo$/m);
  expect(shown).toMatch(/^CRATON_URL=/m);
  expect(shown).not.toMatch(/PASSWORD|API_KEY|TOKEN/);
  for (const secret of [...Object.values(credentials.demo), ...Object.values(credentials.other)]) expect(shown).not.toContain(secret);
});

test('a shell reads back what was written, whatever is in it', () => {
  const value = `it's a "$HOME" \`x\` path with spaces`;
  const script = `${renderEnv({A: value, B: '/plain/path'})}printf '%s|%s' "$A" "$B"`;
  expect(execFileSync('sh', ['-c', script], {encoding: 'utf8'})).toBe(`${value}|/plain/path`);
});

test('clouds.yaml logs in as both accounts', () => {
  const {clouds} = parse(renderClouds(ports, credentials)) as {clouds: Record<string, {auth: Record<string, string>}>};
  expect(clouds['basalt']?.auth).toMatchObject({username: 'demo', password: credentials.demo.password, tenant_name: 'demo'});
  expect(clouds['basalt-other']?.auth).toMatchObject({username: 'other'});
});
