/** Steps that look into the guests: consoles, a picture of a screen, bytes that stay, a move to another host, a power button inside. */
import {randomBytes} from 'node:crypto';
import {mkdir} from 'node:fs/promises';
import {join} from 'node:path';
import {openConsole, type Console} from '../lib/console.ts';
import {run} from '../lib/process.ts';
import {takeScreenshot} from '../lib/vnc.ts';
import {curl, expect, kubectl, kubectlGet, need, until, type DemoContext, type DemoStep} from './context.ts';
import {GREETING, keyFiles} from './gifts.ts';
import {CLOUDSIGMA_SERVER, CYCLADES_SERVER, FILE_SERVER, openstackStatus, serverNamed} from './lookup.ts';

/** A boot takes 3 to 4 s on an idle machine; this is for a busy one. */
const BOOT_TIMEOUT_MS = 90_000;
const COMMAND_TIMEOUT_MS = 20_000;
const MARKER = '/root/marker';

async function consoleOf(context: DemoContext, name: string): Promise<Console> {
  const {metadata} = await serverNamed(context, name);
  return openConsole({kubeconfig: need(context, 'KUBECONFIG'), namespace: metadata.namespace, name: metadata.name, signal: context.signal});
}

/** Logs in on the console with the password that the API told, works, logs out. */
async function atConsole<T>(
  context: DemoContext,
  name: string,
  work: (console: Console) => Promise<T>,
  password = context.memory.adminPass,
): Promise<T> {
  const console = await consoleOf(context, name);
  try {
    await console.login({user: 'root', password: password ?? '', timeoutMs: BOOT_TIMEOUT_MS});
    const result = await work(console);
    await console.logout();
    return result;
  } finally {
    await console.close();
  }
}

const uptimeOf = async (console: Console): Promise<number> =>
  Number((await console.run('cut -d" " -f1 /proc/uptime', COMMAND_TIMEOUT_MS)).trim());

const bootIdOf = async (console: Console): Promise<string> =>
  (await console.run('cat /proc/sys/kernel/random/boot_id', COMMAND_TIMEOUT_MS)).trim();

export const seeConsoles: DemoStep = {
  title: 'Looking at the consoles: the login prompt of each server; logging in at one: host name, key and file are in place',
  async run(context) {
    for (const name of [CYCLADES_SERVER, CLOUDSIGMA_SERVER]) {
      const console = await consoleOf(context, name);
      try {
        const prompt = await console.prompt(BOOT_TIMEOUT_MS);
        context.say(`console of ${name}:\n    ${prompt}`);
        expect(prompt.startsWith(`${name} login:`), `the prompt of ${name} says ${JSON.stringify(prompt)}`);
      } finally {
        await console.close();
      }
    }
    const {publicKey} = await keyFiles(context);
    await atConsole(context, CYCLADES_SERVER, async (console) => {
      const type = async (command: string): Promise<string> => {
        const output = (await console.run(command, COMMAND_TIMEOUT_MS)).trim();
        context.say(`# ${command}\n${output}`);
        return output;
      };
      expect((await type('hostname')) === CYCLADES_SERVER, 'the guest has another host name');
      const keys = await console.run('cat /root/.ssh/authorized_keys', COMMAND_TIMEOUT_MS);
      expect(keys.includes(publicKey.split(' ')[1] ?? 'no key'), `the key is not in /root/.ssh/authorized_keys: ${keys}`);
      await type('cut -c1-60 /root/.ssh/authorized_keys');
    });
    await atConsole(
      context,
      FILE_SERVER,
      async (console) => {
        const greeting = await console.run('cat /root/greeting', COMMAND_TIMEOUT_MS);
        context.say(`on ${FILE_SERVER}:\n# cat /root/greeting\n${greeting}`);
        expect(greeting === GREETING, `the personality file has other bytes: ${greeting}`);
      },
      context.memory.filePass,
    );
  },
};

export const logInOverNetwork: DemoStep = {
  title: 'Logging in over the network, with the key, at the address that the server was leased',
  async run(context) {
    const server = await serverNamed(context, CYCLADES_SERVER);
    const {privateKeyFile} = await keyFiles(context);
    const reach = await until(context, `the local cluster tells where ${CYCLADES_SERVER} is reached`, 30_000, async () => {
      const {metadata} = await serverNamed(context, CYCLADES_SERVER);
      return /(?:^|,)ssh=([^,]+):(\d+)/.exec(metadata.annotations?.['local.basalt.dev/reach'] ?? '') ?? undefined;
    });
    const [, address = '', port = ''] = reach;
    const options = ['StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'LogLevel=ERROR', 'BatchMode=yes', 'ConnectTimeout=10'];
    const args = [...options.flatMap((option) => ['-o', option]), '-i', privateKeyFile, '-p', port, `root@${address}`];
    context.say(`$ ssh -p ${port} root@${address} 'hostname; ip -4 -o addr show dev eth0'`);
    const {stdout} = await run('ssh', [...args, 'hostname; ip -4 -o addr show dev eth0'], {timeoutMs: 30_000, signal: context.signal});
    context.say(stdout);
    expect(stdout.startsWith(CYCLADES_SERVER), `another machine answered: ${stdout}`);
    expect(stdout.includes(` ${server.status?.ip}/`), `the guest does not have the leased address ${server.status?.ip}: ${stdout}`);
  },
};

export const takePicture: DemoStep = {
  title: 'Taking a picture of a screen, over VNC through the API server and virt-api',
  async run(context) {
    const {metadata} = await serverNamed(context, CYCLADES_SERVER);
    const file = join(context.folder, 'screen.png');
    await mkdir(context.folder, {recursive: true});
    const picture = await takeScreenshot({
      kubeconfig: need(context, 'KUBECONFIG'),
      namespace: metadata.namespace,
      name: metadata.name,
      file,
      signal: context.signal,
    });
    expect(picture.litPixels > 0, 'the screen is black');
    context.say(`${picture.width} x ${picture.height} pixels, ${picture.litPixels} of them lit: ${file}`);
  },
};

export const writeByte: DemoStep = {
  title: 'Writing a byte in the guest, to see whether it is there after stop and start',
  async run(context) {
    const marker = randomBytes(8).toString('hex');
    context.memory.marker = marker;
    await atConsole(context, CYCLADES_SERVER, (console) =>
      console.run(`echo ${marker} > ${MARKER}; sync; cat ${MARKER}`, COMMAND_TIMEOUT_MS),
    );
    context.say(`# echo ${marker} > ${MARKER}`);
  },
};

export const readByte: DemoStep = {
  title: 'Reading it after the start: the bytes of the drive stayed',
  async run(context) {
    await atConsole(context, CYCLADES_SERVER, async (console) => {
      const read = (await console.run(`cat ${MARKER}`, COMMAND_TIMEOUT_MS)).trim();
      context.say(`# cat ${MARKER}\n${read}`);
      expect(read === context.memory.marker, `the guest reads ${JSON.stringify(read)}, not ${context.memory.marker}`);
      context.memory.bootId = await bootIdOf(console);
    });
  },
};

export const seeReboot: DemoStep = {
  title: 'Seeing in the guest that it has booted anew',
  async run(context) {
    const now = await atConsole(context, CYCLADES_SERVER, bootIdOf);
    context.say(`boot ${context.memory.bootId} before, ${now} after`);
    expect(now !== context.memory.bootId, 'the guest did not boot: its boot id is the same');
  },
};

interface Operation {
  readonly status?: {readonly phase?: string; readonly message?: string};
}

export const migrate: DemoStep = {
  title: 'Migrating a running server to another host: its uptime goes on',
  async run(context) {
    const before = await serverNamed(context, CYCLADES_SERVER);
    const {namespace, name} = before.metadata;
    const uptimeBefore = await atConsole(context, CYCLADES_SERVER, uptimeOf);
    const operation = `${CYCLADES_SERVER}-move`;
    const manifest = {
      apiVersion: 'basalt.dev/v1alpha1',
      kind: 'ServerOperation',
      metadata: {name: operation, namespace},
      spec: {server: name, verb: 'Migrate'},
    };
    context.say('$ kubectl create -f migrate.yaml   # ServerOperation, verb Migrate');
    await kubectl(context, ['delete', 'serveroperations.basalt.dev', operation, '-n', namespace, '--ignore-not-found']);
    await kubectl(context, ['create', '-f', '-'], JSON.stringify(manifest));
    await until(context, 'the migration is Completed', 60_000, async () => {
      const {status} = await kubectlGet<Operation>(context, ['serveroperations.basalt.dev', operation, '-n', namespace]);
      expect(status?.phase !== 'Failed', `the migration failed: ${status?.message}`);
      return status?.phase === 'Completed' ? true : undefined;
    });
    const after = await until(context, `${CYCLADES_SERVER} is shown on another host`, 20_000, async () => {
      const server = await serverNamed(context, CYCLADES_SERVER);
      return server.status?.host !== undefined && server.status.host !== before.status?.host ? server : undefined;
    });
    const uptimeAfter = await atConsole(context, CYCLADES_SERVER, uptimeOf);
    context.say(`${before.status?.host} → ${after.status?.host}; uptime ${uptimeBefore} s before, ${uptimeAfter} s after`);
    expect(uptimeAfter > uptimeBefore, `the guest started again: uptime ${uptimeBefore} s before, ${uptimeAfter} s after`);
  },
};

export const powerOffInside: DemoStep = {
  title: 'Powering a server off from inside: both APIs say that it is stopped',
  async run(context) {
    const {metadata} = await serverNamed(context, CYCLADES_SERVER);
    const console = await consoleOf(context, CYCLADES_SERVER);
    try {
      await console.login({user: 'root', password: context.memory.adminPass ?? '', timeoutMs: BOOT_TIMEOUT_MS});
      context.say('# poweroff');
      await console.send('poweroff');
      await openstackStatus(context, 'STOPPED');
    } finally {
      await console.close();
    }
    context.say(`openstack shows ${CYCLADES_SERVER} STOPPED`);
    const url = `${need(context, 'CS_BASE')}/servers/${metadata.name}/info`;
    const login = Buffer.from(`${need(context, 'CS_USER')}:${need(context, 'CS_PASSWORD')}`).toString('base64');
    const {status, body} = await curl(context, 'GET', url, {Authorization: `Basic ${login}`});
    expect(status === 200, `GET ${url} answered ${status}: ${JSON.stringify(body)}`);
    const shown = /^status (\S+)$/m.exec(String(body))?.[1];
    context.say(`status ${shown}`);
    expect(shown === 'stopped', `CloudSigma shows it ${shown}, not stopped`);
  },
};
