import {mkdtempSync, rmSync, statSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {expect, test} from '@jest/globals';
import {credentialsSecret, digestOf, ensureCredentials, makeCredentials} from './credentials.ts';

test('secrets are made once, in a file of their owner only, and found again', () => {
  const dir = mkdtempSync(join(tmpdir(), 'basalt-test-'));
  try {
    const path = join(dir, 'credentials.json');
    const first = ensureCredentials(path);
    expect(first.made).toBe(true);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(ensureCredentials(path)).toEqual({credentials: first.credentials, made: false});
  } finally {
    rmSync(dir, {recursive: true});
  }
});

test('all secrets differ and are long', () => {
  const {demo, other} = makeCredentials();
  const all = [...Object.values(demo), ...Object.values(other)] as string[];
  expect(new Set(all).size).toBe(6);
  for (const secret of all) expect(secret.length).toBeGreaterThanOrEqual(24);
});

test('the Secret has the cleartext keys, and a digest that changes with any of them', () => {
  const {demo, other} = makeCredentials();
  expect(credentialsSecret('demo', demo)).toMatchObject({
    metadata: {name: 'demo-credentials', namespace: 'basalt-system', labels: {'basalt.dev/account': 'demo'}},
    stringData: {password: demo.password, 'api-key': demo.apiKey, token: demo.token},
  });
  expect(digestOf(demo)).not.toBe(digestOf(other));
  expect(digestOf({...demo, token: 'x'})).not.toBe(digestOf(demo));
});
