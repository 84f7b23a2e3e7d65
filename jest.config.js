// Three projects: `unit` needs nothing but Node and stays under a minute; the others run against a local cluster, one file at a time
// (--runInBand) because the tests share it: `cluster` where guests are simulated, which is quick, and `guests` where they are real qemu
// processes on real bytes. Roots keep jest out of the folders of local clusters.
const folders = ['crds', 'kube', 'operator', 'api-server', 'hack', 'test'];
const common = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {}, // Node strips the types itself: no babel, swc or ts-jest
  roots: folders.map((folder) => `<rootDir>/${folder}`),
};

// What needs guests that boot, or is truer with them. Without qemu the former skip themselves.
const guests = 'test/cluster/{guest*,bytes,main-job}.test.ts';

export default {
  testTimeout: 20_000, // a busy machine makes no test wrong
  coverageProvider: 'v8',
  collectCoverageFrom: ['{crds,kube,operator,api-server,hack}/**/*.ts', '!**/*.test.ts'],
  projects: [
    {...common, displayName: 'unit', testMatch: ['<rootDir>/{crds,kube,operator,api-server,hack,test/unit,test/lib}/**/*.test.ts']},
    {...common, displayName: 'cluster', testMatch: ['<rootDir>/test/cluster/**/*.test.ts', `!**/${guests}`]},
    {...common, displayName: 'guests', testMatch: [`<rootDir>/${guests}`]},
  ],
};
