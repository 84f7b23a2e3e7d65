import {expect, test} from '@jest/globals';
import {sandboxOptions} from './sandbox.ts';

const options = sandboxOptions(
  {
    hostname: 'p',
    workingDir: '/data',
    environment: new Map([['TOKEN', 'a b']]),
    mounts: [
      {from: '/pv/scratch', to: '/data/scratch', readOnly: false},
      {from: '/pv/1', to: '/data', readOnly: false},
      {from: '/secret', to: '/etc/tls', readOnly: true},
    ],
    hostsFile: '/f/hosts',
    resolvFile: '/f/resolv.conf',
    terminationFile: '/f/last',
    terminationPath: '/dev/termination-log',
  },
  {links: {'/bin': 'usr/bin', '/lib': undefined}},
).join(' ');

test.each([
  ['nothing of the runner’s environment gets in', '--clearenv --setenv TOKEN a b'],
  ['volumes are where the pod wants them', '--bind /pv/1 /data'],
  ['files are read-only', '--ro-bind /secret /etc/tls'],
  ['a volume in a volume comes after it', '--bind /pv/1 /data --ro-bind /secret /etc/tls --bind /pv/scratch /data/scratch'],
  ['the last words have their file', '--bind /f/last /dev/termination-log'],
  ['the root is laid out as this machine’s', '--ro-bind /usr /usr --symlink usr/bin /bin --ro-bind /lib /lib'],
  ['names are the pod’s own', '--ro-bind /f/hosts /etc/hosts --ro-bind /f/resolv.conf /etc/resolv.conf'],
  ['processes are its own, and it gets signals itself', '--unshare-pid --unshare-ipc --unshare-uts --hostname p --as-pid-1'],
  ['it dies with its keeper', '--die-with-parent'],
])('%s', (_name, expected) => expect(options).toContain(expected));

test('nothing of this machine is writable but the volumes', () => {
  const writable = [...options.matchAll(/ --bind (\S+)/g)].map(([, from]) => from);
  expect(writable).toEqual(['/pv/1', '/pv/scratch', '/f/last']);
});
