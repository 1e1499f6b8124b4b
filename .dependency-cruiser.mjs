// Who may import whom. Each rule's comment is the reason, and what the lint prints when the rule is broken.
// Type-only imports leave nothing at run time: where a rule is about layers of work, they are free.

const tests = '[.]test[.]ts$|^server/src/testing';
const runTime = { dependencyTypesNot: ['type-only'] };
/** The files of the server that belong to no domain and stand above the operations. */
const aboveOperations =
  '^server/src/(http|perform|jobs|server|main|migrate)[.]ts$|^server/src/(http|postgres)/';

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    {
      name: 'api-depends-on-nothing',
      comment:
        'The api is the promise, for browser, command line and server alike: what it imported, all would carry.',
      severity: 'error',
      from: { path: '^api/src/', pathNot: tests },
      to: { pathNot: '^api/' },
    },
    {
      name: 'no-client-imports-server',
      comment:
        'Clients know the server by its contract only, so that whatever works for them works for everybody. The command ' +
        'line starts the server as a process of its own. Tests across rooms, benchmarks and scripts are no clients.',
      severity: 'error',
      from: { path: '^(api|cli|runner|web|examples)/' },
      to: { path: '^server/' },
    },
    {
      name: 'server-imports-no-client',
      comment: 'The server keeps the promise and must not depend on those to whom it is made.',
      severity: 'error',
      from: { path: '^server/' },
      to: { path: '^(cli|runner|web|bench|e2e|examples)/' },
    },
    {
      name: 'clients-are-apart',
      comment:
        'Web and runner are installed without one another. Only the command line starts a runner, by `millrace run`.',
      severity: 'error',
      from: { path: '^(cli|runner|web)/' },
      to: { path: '^(cli|runner|web)/', pathNot: ['^$1/', '^runner/src/index[.]ts$'] },
    },
    {
      name: 'only-the-command-line-starts-runners',
      comment: 'A runner works on a device without a browser, and the console has no private way to devices.',
      severity: 'error',
      from: { path: '^web/' },
      to: { path: '^runner/' },
    },
    {
      name: 'rules-are-pure',
      comment:
        'A rule is a pure decision over values, which tests try in every state. What it needs to know, its operation reads ' +
        'and passes in. Only other rules, what is pure beside them, errors and the api may be imported.',
      severity: 'error',
      from: { path: '^server/src/.*rules[.]ts$' },
      to: {
        ...runTime,
        pathNot: [
          '^api/',
          '^server/src/errors[.]ts$',
          '^server/src/[^/]+/(?![^/]*(operations|sql|job|first-start)[.]ts)',
        ],
      },
    },
    {
      name: 'sql-only-states',
      comment:
        'A query is one statement with its parameters. Deciding is for rules, and the order of work for operations.',
      severity: 'error',
      from: { path: '^server/src/[^/]+/[^/]*sql[.]ts$' },
      to: {
        ...runTime,
        pathNot: ['^server/src/db[.]ts$', '^api/', '^server/src/[^/]+/[^/]*sql[.]ts$'],
      },
    },
    {
      name: 'sql-stays-in-its-domain',
      comment:
        "A domain's tables are read and written by its own statements only; others call its operations. Perform alone " +
        'reads caller and queue before any operation runs. Events and tallies are written by whoever makes the change they ' +
        "tell of, often as part of the same statement. Which queues, pools and devices are somebody's is asked in one way everywhere.",
      severity: 'error',
      from: { path: '^(server|bench|e2e|scripts)/(?:src/)?([^/]+)', pathNot: '^server/src/perform[.]ts$' },
      to: {
        path: '^server/src/[^/]+/[^/]*sql[.]ts$',
        pathNot: [
          '^server/src/$2/',
          '^server/src/(events|stats)/sql[.]ts$',
          '^server/src/(devices|pools|queues)/visible[.]sql[.]ts$',
        ],
      },
    },
    {
      name: 'operations-know-no-transport',
      comment: 'An operation is a function of context and input, whoever calls it: HTTP, a job or a test.',
      severity: 'error',
      from: { path: '^server/src/[^/]+/', pathNot: `${tests}|^server/src/(http|postgres)/` },
      to: { ...runTime, path: aboveOperations },
    },
    {
      name: 'perform-knows-no-transport',
      comment: 'Layers point one way: http and jobs call perform, which opens the transaction for either.',
      severity: 'error',
      from: { path: '^server/src/perform[.]ts$' },
      to: { ...runTime, path: '^server/src/(http|jobs|server|main)[.]ts$|^server/src/http/' },
    },
    {
      name: 'db-is-the-ground',
      comment: 'The database layer knows nothing of queues and items.',
      severity: 'error',
      from: { path: '^server/src/db[.]ts$' },
      to: { path: '^server/', pathNot: '^server/src/errors[.]ts$' },
    },
    {
      name: 'fastify-in-http-only',
      comment:
        'One place turns HTTP into operations, so that strictness, permissions and errors are the same everywhere.',
      severity: 'error',
      from: { path: '^server/', pathNot: '^server/src/http[.]ts$|^server/src/http/' },
      to: { path: 'node_modules/(@fastify/|fastify/)' },
    },
    {
      name: 'pg-in-db-only',
      comment:
        'One place sets how values are read, so that no 64-bit id or number loses digits on the way. The listener ' +
        'keeps a connection of its own and reads no rows; benchmarks measure tables that are not ours.',
      severity: 'error',
      from: {
        path: '^(server|e2e|scripts)/',
        pathNot:
          '^server/src/(db|migrate|dispatch/listener)[.]ts$|^server/src/(postgres|testing)/|[.]test[.]ts$',
      },
      to: { path: ['node_modules/pg/', 'node_modules/@types/pg/', 'node_modules/pg-'] },
    },
    {
      name: 'testing-is-for-tests',
      comment: 'What runs in production must not depend on what only tests need.',
      severity: 'error',
      from: { path: '^(api|server|cli|runner|web)/', pathNot: tests },
      to: { path: tests },
    },
    {
      name: 'no-cycles',
      comment: 'Imports form a tree: each file can be understood from those below it.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-orphans',
      comment: 'A file that nobody imports and that imports nobody is dead, or forgotten.',
      severity: 'error',
      from: { orphan: true, pathNot: `${tests}|[.]d[.]ts$|^scripts/[^/]+$|^cli/bin/` },
      to: {},
    },
    {
      name: 'declared-dependencies-only',
      comment:
        'A package that a workspace imports stands in its own package.json, or its install is broken elsewhere.',
      severity: 'error',
      from: { path: '^(server|cli|runner|web)/', pathNot: tests },
      to: {
        dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'],
        ...runTime,
      },
    },
    {
      name: 'resolvable',
      comment: 'The import leads nowhere.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
    exclude: { path: '^(web/dist|coverage)/' },
  },
};
