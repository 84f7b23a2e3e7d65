/**
 * Consoles, screens and measures of a real guest, through kube-apiserver, virt-api and the hypervisor, as a person has them. One guest,
 * started once; the last test switches it off.
 */
import {spawn} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals';
import {hashForShadow} from '../../api-server/cyclades/sha512-crypt.ts';
import {openConsole, type Console} from '../../hack/lib/console.ts';
import {decodePng} from '../../hack/lib/png.ts';
import {openVnc, takeScreenshot} from '../../hack/lib/vnc.ts';
import {SECRET} from '../../kube/types.ts';
import type {Secret} from '../../kube/types.ts';
import {HOME, ServerBench} from '../lib/server-bench.ts';

const {KUBECONFIG = '', BASALT_GUESTS, BASALT_HYPERVISOR_METRICS_URL = ''} = process.env;
const suite = BASALT_GUESTS === 'qemu' ? describe : describe.skip;

const NAME = 'consoletest';
const PASSWORD = 'Open2sesame';
const address = {kubeconfig: KUBECONFIG, namespace: HOME, name: NAME};
const BOOTS_MS = 120_000;
const TEST_MS = 90_000;
const ANSWER_MS = 30_000;
const SCREEN_MS = 15_000;

/** Values of the guest's samples by metric name; those of drives and NICs are summed up. */
async function measured(): Promise<Readonly<Record<string, number>>> {
  const text = await (await fetch(BASALT_HYPERVISOR_METRICS_URL)).text();
  const values: Record<string, number> = {};
  for (const [, name = '', labels = '', value] of text.matchAll(/^kubevirt_vmi_(\w+)\{(.*)\} (\S+)$/gm))
    if (labels.includes(`namespace="${HOME}",name="${NAME}"`)) values[name] = (values[name] ?? 0) + Number(value);
  return values;
}

async function eventually<T>(what: string, probe: () => Promise<T | undefined> | T | undefined): Promise<T> {
  const end = performance.now() + ANSWER_MS;
  for (;;) {
    const found = await probe();
    if (found !== undefined) return found;
    if (performance.now() > end) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

suite('consoles and screens of guests (needs GUESTS=qemu: simulated guests have none)', () => {
  let bench: ServerBench;
  let console: Console;
  const folder = mkdtempSync(join(tmpdir(), 'basalt-consoles-'));
  const secret = {namespace: HOME, name: `${NAME}-boot`};

  beforeAll(async () => {
    bench = new ServerBench(KUBECONFIG);
    const passwordHash = Buffer.from(hashForShadow(PASSWORD, {guessable: false})).toString('base64');
    await bench.client.create(SECRET, {apiVersion: 'v1', kind: 'Secret', metadata: secret, data: {passwordHash}} as Secret);
    await bench.server(NAME, {image: {name: 'tiny', namespace: 'basalt-system'}, bootSecret: {name: secret.name}});
    await bench.serverIs(NAME, 'ACTIVE');
    console = await eventually('the console opens', () => openConsole(address).catch(() => undefined));
  }, BOOTS_MS);

  afterAll(async () => {
    await console?.close();
    await bench.client.delete(SECRET, secret);
    await bench.close();
    rmSync(folder, {recursive: true, force: true});
  }, TEST_MS);

  test(
    'the console shows the login prompt, lets in who knows the password, and answers what is typed',
    async () => {
      expect(await console.prompt(BOOTS_MS)).toBe(`${NAME} login:`);
      await console.login({user: 'root', password: PASSWORD, timeoutMs: ANSWER_MS});
      expect(await console.run('hostname; echo $((6 * 7))', ANSWER_MS)).toBe(`${NAME}\n42\n`);
      await expect(console.run('echo so; false', ANSWER_MS)).rejects.toThrow(/exit code 1: so$/);
    },
    BOOTS_MS,
  );

  test(
    'many bytes arrive whole and in order',
    async () => {
      const lines = (await console.run('i=0; while [ $i -lt 1000 ]; do echo "line $i of many"; i=$((i+1)); done', TEST_MS)).split('\n');
      expect(lines.slice(0, -1)).toEqual(Array.from({length: 1000}, (_, index) => `line ${index} of many`));
    },
    TEST_MS,
  );

  test(
    'a second session takes over from the first one',
    async () => {
      const first = console;
      console = await openConsole(address);
      expect(await eventually('the first session ends', () => first.closedBecause)).toBe('another session took over');
      await console.run('true', ANSWER_MS).catch(() => undefined); // the shell of the first one may still be in the middle of a line
      expect(await console.run('hostname', ANSWER_MS)).toBe(`${NAME}\n`);
      await expect(first.send('hostname')).rejects.toThrow(/ended/);
    },
    TEST_MS,
  );

  test(
    'a picture of the screen is a PNG that shows something',
    async () => {
      const file = join(folder, 'screen.png');
      const shot = await takeScreenshot({...address, file});
      expect(shot.litPixels).toBeGreaterThan(100);
      const {width, height} = decodePng(readFileSync(file));
      expect([width, height]).toEqual([shot.width, shot.height]);
      expect(width).toBeGreaterThanOrEqual(640);
    },
    TEST_MS,
  );

  test(
    'over VNC one sees the screen and types: what was typed is seen, and a login there is a login',
    async () => {
      const vnc = await openVnc(address);
      try {
        const before = await vnc.screen(SCREEN_MS);
        expect(before.width).toBe(vnc.width);
        await vnc.press('root');
        const typed = await eventually('the screen shows what is typed', async () => {
          const now = await vnc.screen(SCREEN_MS);
          return now.pixels.equals(before.pixels) ? undefined : now;
        });
        const shot = await takeScreenshot({...address, file: join(folder, 'typed.png')});
        expect([shot.width, shot.height]).toEqual([typed.width, typed.height]);
        await vnc.press('\n');
        await new Promise((resolve) => setTimeout(resolve, 3_000)); // until it asks for the password, which is not shown
        await vnc.press(`${PASSWORD}\n`);
        await new Promise((resolve) => setTimeout(resolve, 3_000));
        await vnc.press('tty > /tmp/typed-on\n');
        const where = await eventually('the command ran', async () => {
          const found = (await console.run('cat /tmp/typed-on 2>/dev/null || true', ANSWER_MS)).trim();
          return found === '' ? undefined : found;
        });
        expect(where).toBe('/dev/tty1');
      } finally {
        vnc.close();
      }
    },
    TEST_MS,
  );

  test(
    'measures move when the guest works, under KubeVirt’s names',
    async () => {
      const before = await measured();
      await console.run('dd if=/dev/zero of=/root/big bs=64k count=48 2>/dev/null; sync; rm /root/big', ANSWER_MS);
      await console.run('i=0; while [ $i -lt 10000 ]; do i=$((i+1)); done', ANSWER_MS);
      await console.run('ping -c 3 -w 6 "$(ip route | sed -n "s/^default via \\([^ ]*\\).*/\\1/p")" || true', ANSWER_MS);
      const after = await measured();
      const grew = (name: string): number => (after[name] ?? Number.NaN) - (before[name] ?? Number.NaN);
      expect(grew('storage_write_traffic_bytes_total')).toBeGreaterThanOrEqual(48 * 65_536);
      expect(grew('storage_iops_write_total')).toBeGreaterThan(0);
      expect(grew('storage_write_times_seconds_total')).toBeGreaterThan(0);
      expect(grew('cpu_usage_seconds_total')).toBeGreaterThan(0.1);
      expect(grew('network_transmit_packets_total')).toBeGreaterThan(0);
      expect(grew('network_transmit_bytes_total')).toBeGreaterThan(0);
      expect(after['storage_read_traffic_bytes_total']).toBeGreaterThan(1e6); // it has booted from there
      expect(after['memory_domain_bytes']).toBe(512 * 2 ** 20);
      expect(after['memory_resident_bytes']).toBeGreaterThan(64 * 2 ** 20);
      expect(after['memory_available_bytes']).toBeGreaterThan(400 * 2 ** 20);
      expect(after['memory_available_bytes']).toBeLessThan(512 * 2 ** 20);
    },
    TEST_MS,
  );

  test(
    'the command for people shows the console, and Ctrl-] leaves it to the next',
    async () => {
      const child = spawn(process.execPath, ['hack/console.ts', '-n', HOME, NAME], {stdio: ['pipe', 'pipe', 'pipe']});
      let seen = '';
      child.stdout.on('data', (chunk: Buffer) => (seen += chunk.toString('latin1')));
      const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
      child.stdin.write('echo seen-by-$((40 + 2))\r');
      await eventually('what the guest says', () => (seen.includes('seen-by-42') ? true : undefined));
      child.stdin.write('\u001D');
      expect(await ended).toBe(0);
      console = await openConsole(address); // it was taken over by the command
      await console.login({user: 'root', password: PASSWORD, timeoutMs: ANSWER_MS});
    },
    TEST_MS,
  );

  test(
    'a guest that switches itself off closes its console and its measures, and nobody gets another',
    async () => {
      await console.send('poweroff');
      expect(await eventually('the console ends', () => console.closedBecause)).toBe('the guest closed its side');
      await bench.serverIs(NAME, 'STOPPED');
      await expect(openConsole(address)).rejects.toThrow(/40\d|500/);
      expect(await measured()).toEqual({});
    },
    TEST_MS,
  );
});
