import {describe, expect, test} from '@jest/globals';
import {silentLogger} from '../../../../kube/log.ts';
import type {Guest} from '../guest.ts';
import type {GuestEntry} from '../guest-table.ts';
import type {GuestMeasures} from './measures.ts';
import {createScrape, QMP_TIMEOUT_MS} from './scrape.ts';

const measures: GuestMeasures = {
  nodeName: 'bm-000',
  process: {userSeconds: 5.3, systemSeconds: 1.31, residentBytes: 4096},
  memoryBytes: 134_217_728,
  drives: [
    {
      name: 'root',
      readBytes: 10,
      writtenBytes: 20,
      reads: 1,
      writes: 2,
      readSeconds: 0.5,
      writeSeconds: 0.25,
      flushes: 3,
      flushSeconds: 0.125,
    },
  ],
  memory: {available: 1000},
  nics: [{name: 'nic0', rxBytes: 1, rxPackets: 2, rxDropped: 3, txBytes: 4, txPackets: 5, txDropped: 6}],
};

type Measure = Guest['measure'];

function scrapeOf(guests: Readonly<Record<string, Measure>>, more: {monotonicMs?: () => number} = {}): () => Promise<string> {
  return createScrape({
    table: {
      keys: () => Object.keys(guests),
      get: (key) => ({guest: {measure: guests[key]} as Pick<Guest, 'measure'> as Guest, stopping: undefined}) satisfies GuestEntry,
    },
    labelsOf: (key) => (key === 'a/web' ? {'kubevirt.io/domain': 'say "hi"'} : {}),
    monotonicMs: more.monotonicMs ?? (() => 0),
    log: silentLogger,
  });
}
const answering =
  (told: GuestMeasures | undefined): Measure =>
  () =>
    Promise.resolve(told);

describe('metrics of guests', () => {
  test('KubeVirt’s names and labels', async () => {
    const text = await scrapeOf({'a/web': answering(measures)})();
    const labels = String.raw`node="bm-000",namespace="a",name="web",kubernetes_vmi_label_kubevirt_io_domain="say \"hi\""`;
    for (const line of [
      '# TYPE kubevirt_vmi_cpu_usage_seconds_total counter',
      `kubevirt_vmi_cpu_usage_seconds_total{${labels}} 6.61`,
      `kubevirt_vmi_cpu_user_usage_seconds_total{${labels}} 5.3`,
      `kubevirt_vmi_cpu_system_usage_seconds_total{${labels}} 1.31`,
      '# TYPE kubevirt_vmi_memory_resident_bytes gauge',
      `kubevirt_vmi_memory_resident_bytes{${labels}} 4096`,
      `kubevirt_vmi_memory_domain_bytes{${labels}} 134217728`,
      `kubevirt_vmi_memory_available_bytes{${labels}} 1000`,
      `kubevirt_vmi_storage_read_traffic_bytes_total{${labels},drive="root"} 10`,
      `kubevirt_vmi_storage_write_traffic_bytes_total{${labels},drive="root"} 20`,
      `kubevirt_vmi_storage_iops_read_total{${labels},drive="root"} 1`,
      `kubevirt_vmi_storage_iops_write_total{${labels},drive="root"} 2`,
      `kubevirt_vmi_storage_read_times_seconds_total{${labels},drive="root"} 0.5`,
      `kubevirt_vmi_storage_write_times_seconds_total{${labels},drive="root"} 0.25`,
      `kubevirt_vmi_storage_flush_requests_total{${labels},drive="root"} 3`,
      `kubevirt_vmi_storage_flush_times_seconds_total{${labels},drive="root"} 0.125`,
      `kubevirt_vmi_network_receive_bytes_total{${labels},interface="nic0"} 1`,
      `kubevirt_vmi_network_receive_packets_total{${labels},interface="nic0"} 2`,
      `kubevirt_vmi_network_receive_packets_dropped_total{${labels},interface="nic0"} 3`,
      `kubevirt_vmi_network_transmit_bytes_total{${labels},interface="nic0"} 4`,
      `kubevirt_vmi_network_transmit_packets_total{${labels},interface="nic0"} 5`,
      `kubevirt_vmi_network_transmit_packets_dropped_total{${labels},interface="nic0"} 6`,
      'hypervisor_guests_unanswered 0',
    ])
      expect(text.split('\n')).toContain(line);
    expect(text).not.toContain('memory_cached'); // the guest does not tell
    expect(text.endsWith('\n')).toBe(true);
  });

  test('samples of one metric stand together, each under its head once', async () => {
    const text = await scrapeOf({'b/db': answering(measures), 'a/web': answering(measures)})();
    const lines = text.split('\n').filter((line) => line.includes('kubevirt_vmi_memory_domain_bytes'));
    expect(lines.map((line) => /^# \w+|name="\w+"/.exec(line)?.[0])).toEqual(['# HELP', '# TYPE', 'name="web"', 'name="db"']);
  });

  test('the order of guests does not hang on which was measured first', async () => {
    const order = async (...keys: string[]): Promise<unknown[]> => {
      const text = await scrapeOf(Object.fromEntries(keys.map((key) => [key, answering(measures)])))();
      return [...text.matchAll(/memory_domain_bytes\{[^}]*namespace="(\w+)"/g)].map(([, namespace]) => namespace);
    };
    expect(await order('ab/c', 'a/bc')).toEqual(['a', 'ab']);
    expect(await order('a/bc', 'ab/c')).toEqual(['a', 'ab']);
  });

  test('simulated guests, guests that end meanwhile and guests that cannot be measured hide no other', async () => {
    const {nodeName, memoryBytes} = measures;
    const text = await scrapeOf({
      'a/simulated': answering(undefined),
      'a/broken': () => Promise.reject(new Error('no')),
      'a/hangs': answering({nodeName, memoryBytes, nics: []}),
      'a/web': answering(measures),
    })();
    expect(text).toContain('name="web"');
    expect(text).toMatch(/kubevirt_vmi_memory_domain_bytes\{[^}]*name="hangs"/);
    expect(text).not.toMatch(/simulated|broken/);
    expect(text).toContain('hypervisor_guests_unanswered 1');
  });

  test('few at once, each told its deadline, and not for longer than Prometheus waits', async () => {
    let [nowMs, running, most, asked] = [0, 0, 0, 0];
    const hanging: Measure = async ({timeoutMs}) => {
      asked++;
      most = Math.max(most, ++running);
      await Promise.resolve();
      nowMs += timeoutMs / 8; // eight wait side by side
      running--;
      return {nodeName: 'bm-000', memoryBytes: 1, nics: []};
    };
    const guests = Object.fromEntries(Array.from({length: 200}, (_, index) => [`a/g${index}`, hanging]));
    const text = await scrapeOf(guests, {monotonicMs: () => nowMs})();
    expect(most).toBeLessThanOrEqual(8);
    expect(asked).toBeLessThan(80);
    expect(nowMs).toBeLessThan(8_000 + 2 * QMP_TIMEOUT_MS);
    expect(text).toContain('hypervisor_guests_unanswered 200');
  });

  test('who asks while it is measured shares the answer; the next one is fresh', async () => {
    let asked = 0;
    const scrape = scrapeOf({
      'a/web': () => {
        asked++;
        return Promise.resolve(measures);
      },
    });
    const [first, second] = await Promise.all([scrape(), scrape()]);
    expect([asked, first === second]).toEqual([1, true]);
    await scrape();
    expect(asked).toBe(2);
  });
});
