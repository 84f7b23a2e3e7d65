// Two projects: `unit` needs nothing but Node and stays under a minute; `cluster` runs against a real local cluster
// (test/), one file at a time (--runInBand) because the tests share it. Roots keep jest out of the folders of local clusters.
const folders = ['crds', 'kube', 'operator', 'api-server', 'hack', 'test'];
const common = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {}, // Node strips the types itself: no babel, swc or ts-jest
  roots: folders.map((folder) => `<rootDir>/${folder}`),
};

export default {
  testTimeout: 20_000, // a busy machine makes no test wrong
  coverageProvider: 'v8',
  collectCoverageFrom: ['{crds,kube,operator,api-server,hack}/**/*.ts', '!**/*.test.ts'],
  projects: [
    {...common, displayName: 'unit', testMatch: ['<rootDir>/{crds,kube,operator,api-server,hack,test/unit,test/lib}/**/*.test.ts']},
    {...common, displayName: 'cluster', testMatch: ['<rootDir>/test/cluster/**/*.test.ts']},
  ],
};
