/**
 * The direction of imports: which folder of src/ may import which. Everything not listed is
 * forbidden, an import of types only included, unless said otherwise. Tests may import anything.
 * test/style/architecture.test.ts breaks every rule once and sees it bite.
 */
const layers = {
  model: [],
  topology: ['model'],
  policy: ['model'],
  random: ['model'],
  stream: ['model'],
  recording: ['stream', 'model'],
  measure: ['stream', 'model', 'random'],
  finding: ['measure', 'stream', 'model'],
  compare: ['measure', 'model'],
  // Formulas, and what they say of a topology; the simulator is asked by the command line.
  theory: ['model'],
  explain: ['theory', 'measure', 'model'],
  calibrate: ['sim', 'random', 'measure', 'topology', 'model'],
  // The two engines never import each other.
  sim: ['policy', 'random', 'stream', 'measure', 'topology', 'model'],
  live: ['policy', 'random', 'stream', 'measure', 'recording', 'finding', 'topology', 'model'],
  diagnose: ['stream', 'measure', 'recording', 'finding', 'topology', 'model'],
  sweep: ['sim', 'live', 'random', 'stream', 'measure', 'recording', 'topology', 'model'],
  report: ['recording', 'measure', 'finding', 'topology', 'stream', 'model'],
  serve: ['sim', 'live', 'stream', 'measure', 'recording', 'finding', 'topology', 'model'],
};

/** No Node API in these, so that the simulator also runs in a browser. */
const portable = [
  'model',
  'topology',
  'policy',
  'random',
  'stream',
  'measure',
  'finding',
  'compare',
  'theory',
  'explain',
  'sim',
];
/** The topology reads YAML and checks it against a schema; the others need no package at all. */
const withoutPackages = portable.filter((folder) => folder !== 'topology');

const isTest = '\\.(test|case)\\.ts$';
const anyOf = (folders) => `^src/(${folders.join('|')})/`;

const directions = Object.entries(layers).map(([folder, allowed]) => ({
  name: `direction-${folder}`,
  comment: `src/${folder} imports ${allowed.join(', ') || 'nothing'}`,
  severity: 'error',
  from: { path: anyOf([folder]), pathNot: isTest },
  to: {
    path: '^src/',
    pathNot: [
      anyOf([folder, ...allowed]),
      ...(folder === 'recording' ? ['^src/measure/rows\\.ts$'] : []),
    ],
  },
}));

module.exports = {
  forbidden: [
    ...directions,
    {
      name: 'recording-needs-only-the-types-of-rows',
      comment: 'A recording stores what measure/ computes: it knows the shape, not the code',
      severity: 'error',
      from: { path: anyOf(['recording']), pathNot: isTest },
      to: { path: '^src/measure/rows\\.ts$', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'known-folders',
      comment: 'A new folder of src/ needs a line in the table above',
      severity: 'error',
      from: {},
      to: { path: '^src/', pathNot: anyOf([...Object.keys(layers), 'cli']) },
    },
    {
      name: 'portable-folders-use-no-node-api',
      severity: 'error',
      from: { path: anyOf(portable), pathNot: isTest },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'portable-folders-use-no-package',
      severity: 'error',
      from: { path: anyOf(withoutPackages), pathNot: isTest },
      to: { dependencyTypes: ['npm', 'npm-dev', 'npm-optional', 'npm-peer', 'npm-no-pkg'] },
    },
    {
      name: 'users-get-no-development-tools',
      comment: 'Packages that only developers install may not be imported by what users run',
      severity: 'error',
      from: { path: '^src/', pathNot: isTest },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'product-does-not-know-its-tests',
      severity: 'error',
      from: { path: '^src/', pathNot: isTest },
      to: { path: `^(test|bench|scripts)/|${isTest}` },
    },
    {
      name: 'no-cycles',
      comment:
        'Types of one folder may name one another (a connection its exchange, an exchange its ' +
        'connection): they vanish when built. Code that runs may not go in a circle',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-orphans',
      comment: 'A file that imports nothing and that nobody imports is dead',
      severity: 'error',
      from: { orphan: true, path: '^src/', pathNot: `${isTest}|^src/cli/main\\.ts$` },
      to: {},
    },
    {
      name: 'everything-resolves',
      comment: 'An import that is not found escapes all other rules',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(test/style/fixtures|dist)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'node', 'default'],
    },
  },
};
