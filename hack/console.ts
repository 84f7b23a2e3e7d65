/**
 * A guest's serial console in this terminal, or a picture of its screen, through kube-apiserver as virtctl does it:
 * `node hack/console.ts [-n NAMESPACE] NAME [--screenshot FILE]`. Ctrl-] leaves.
 */
import {parseArgs} from 'node:util';
import {openWebSocket} from './lib/subresource.ts';
import {takeScreenshot} from './lib/vnc.ts';

const USAGE =
  'usage: node hack/console.ts [-n NAMESPACE] NAME [--screenshot FILE]   (KUBECONFIG, else the cluster of BASALT_CLUSTER_DIR or .cluster)';
const LEAVE = 0x1d; // Ctrl-]

async function main(): Promise<void> {
  const {values, positionals} = parseArgs({
    allowPositionals: true,
    options: {namespace: {type: 'string', short: 'n', default: 'acct-demo'}, screenshot: {type: 'string'}},
  });
  const [name] = positionals;
  if (name === undefined || positionals.length > 1) throw new Error(USAGE);
  const kubeconfig = process.env['KUBECONFIG'] ?? `${process.env['BASALT_CLUSTER_DIR'] ?? '.cluster'}/admin.kubeconfig`;
  const address = {kubeconfig, namespace: values.namespace, name};
  if (values.screenshot !== undefined) {
    const {width, height} = await takeScreenshot({...address, file: values.screenshot});
    console.error(`${values.screenshot}: ${width} x ${height}`);
    return;
  }
  const socket = await openWebSocket(address, 'console');
  console.error(`Connected to ${values.namespace}/${name}. Ctrl-] leaves.`);
  if (process.stdin.isTTY) process.stdin.setRawMode(true);
  process.stdin.on('data', (bytes: Buffer) => {
    if (bytes.includes(LEAVE)) socket.close();
    else socket.send(bytes, {binary: true});
  });
  process.stdin.on('end', () => socket.close());
  socket.on('message', (data) => process.stdout.write(data as Buffer));
  const closed = new Promise<void>((resolve) => {
    socket.on('error', (error) => console.error(`\n${error.message}`));
    socket.on('close', (_code, reason) => {
      console.error(`\nThe console is closed${reason.length === 0 ? '' : `: ${reason.toString()}`}.`);
      resolve();
    });
  });
  socket.resume();
  socket.send(Buffer.from('\r'), {binary: true}); // the guest says again what it waits for
  await closed;
  if (process.stdin.isTTY) process.stdin.setRawMode(false);
  process.stdin.destroy();
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
