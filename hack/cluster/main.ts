/** The local cluster's command line; `make up`, `make down` … call it. See options.ts for what it takes. */
import {systemClock} from '../../kube/clock.ts';
import {ensureBuilt} from './build/build.ts';
import {down} from './down.ts';
import {host} from './host.ts';
import {logs} from './logs.ts';
import {parseOptions, usageText, UsageError, type Options} from './options.ts';
import {cacheFolder} from './paths.ts';
import {status} from './status.ts';
import {up} from './up/up.ts';

const terminal = {isTTY: process.stdout.isTTY === true, write: (text: string): void => void process.stdout.write(text)};
const say = (line: string): void => console.log(line);

async function run(options: Options, signal: AbortSignal): Promise<number> {
  switch (options.command) {
    case 'build': {
      const {bin} = await ensureBuilt({cache: cacheFolder(process.env), env: process.env, terminal, signal});
      say(`The programs are in ${bin}`);
      return 0;
    }
    case 'up':
      await up(options, {env: process.env, terminal, signal, now: () => performance.now()});
      return 0;
    case 'down':
      await down(options, say);
      return 0;
    case 'status':
      return (await status(options, say)) ? 0 : 1;
    case 'logs':
      await logs(options, say, signal);
      return 0;
    case 'host':
      if (options.host !== undefined) await host({dir: options.dir, ...options.host}, say, systemClock, signal);
      return 0;
  }
}

const interrupt = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interrupt.abort(new Error(`interrupted by ${name}`)));
try {
  process.exitCode = await run(parseOptions(process.argv.slice(2), process.env, process.cwd()), interrupt.signal);
} catch (error) {
  console.error(error instanceof UsageError ? usageText(error) : `cluster: ${(error as Error).message}`);
  if (process.env['BASALT_LOG_LEVEL'] === 'debug') console.error(error);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
