// The imports that are allowed. Each rule's comment is the reason, and what the lint prints when the rule is broken.
// Type-only imports leave nothing at run time: where a rule is about layers of work, they are free.

const tests = '[.]test[.]ts$|^server/src/testing';
const runTime = { dependencyTypesNot: ['type-only'] };

/**
 * One rule for each room: it may import what lies on the floors below its own, and nothing beside or above it. Types count as well: a
 * reader follows them like any other name.
 * @param house the folder of the rooms
 * @param floors from the ground up; each a list of rooms, as they stand in a path
 */
function upTheStairs(house, floors) {
  return floors.flatMap((rooms, floor) =>
    rooms.map((room) => {
      const below = floors.slice(0, floor).flat().map(nameOf).join(', ');
      const others = floors
        .slice(floor)
        .flat()
        .filter((other) => other !== room);
      return {
        name: `${nameOf(room)}-imports-only-what-lies-below`,
        comment:
          `${nameOf(room)} stands on ${below || 'nothing else of its house'}. What it imported from beside or above, a reader would have to ` +
          'know before it, and it before that. Move what both need down, or have it handed in.',
        severity: 'error',
        from: { path: `^${house}/${room}`, pathNot: tests },
        to: {
          path: others.length > 0 ? others.map((other) => `^${house}/${other}`) : '^nothing-lies-above$',
        },
      };
    }),
  );
}

/** A room as people call it: without the end of a path. */
function nameOf(room) {
  return room.replace(/\/$|\[[.]\]ts\$$/, '');
}

/** The order of import; ARCHITECTURE.md shows it as a drawing. */
const order = [
  ...upTheStairs('server/src', [
    ['engine/', 'postgres/'],
    ['journal/', 'records/', 'health/'],
    ['access/', 'duplicates/'],
    ['fleet/'],
    ['queues/', 'batches/'],
    ['work-items/', 'models/', 'events/', 'audit/'],
    ['dispatch/', 'intake/'],
    ['why/'],
    ['levels/'],
    ['operations[.]ts$', 'jobs[.]ts$', 'admission[.]ts$'],
    ['server[.]ts$'],
    ['processes/'],
    ['this-machine[.]ts$'],
    ['main[.]ts$', 'reset-password[.]ts$', 'verify-audit[.]ts$'],
  ]),
  ...upTheStairs('server/src/access', [
    ['users/'],
    ['members/'],
    ['auth/'],
    ['people/', 'first-start[.]ts$'],
    ['sign-on/'],
  ]),
  ...upTheStairs('server/src/fleet', [['pools/'], ['automations/', 'devices/']]),
  ...upTheStairs('server/src/work-items', [
    ['item/'],
    ['create/', 'lease/', 'read/', 'failures/'],
    ['claim/', 'maintain/', 'export/', 'erase/'],
    ['finish/'],
    ['repair/'],
    ['bulk/'],
  ]),
  ...upTheStairs('web/src', [
    ['store/', 'messages/'],
    ['connection/', 'theme/'],
    ['preferences/'],
    ['page/'],
    ['live/', 'filters/', 'grid/', 'json/', 'charts/'],
    ['dialogs/'],
    ['levels/', 'why/'],
    ['auth/', 'queues/', 'views/'],
    ['work-items/', 'models/', 'members/', 'people/', 'history/'],
    ['intake/', 'setup/', 'repair/', 'devices/', 'pools/', 'automations/', 'settings/', 'audit/'],
    ['overview/', 'events/'],
    ['shell/'],
    ['router[.]tsx$'],
    ['main[.]tsx$'],
  ]),
];

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
      from: { path: '^(api|cli|demo|runner|web|examples)/' },
      to: { path: '^server/' },
    },
    {
      name: 'server-imports-no-client',
      comment: 'The server keeps the promise and must not depend on those to whom it is made.',
      severity: 'error',
      from: { path: '^server/' },
      to: { path: '^(cli|demo|runner|web|bench|e2e|examples)/' },
    },
    {
      name: 'clients-are-apart',
      comment:
        'Web and runner are installed without one another. Only the command line starts a runner, by `millrace run`, and the ' +
        'demo, to which it lends what that needs of a terminal.',
      severity: 'error',
      from: { path: '^(cli|demo|runner|web)/' },
      to: {
        path: '^(cli|demo|runner|web)/',
        pathNot: ['^$1/', '^runner/src/index[.]ts$', '^demo/src/index[.]ts$'],
      },
    },
    {
      name: 'only-the-command-line-tells-stories',
      comment: 'The demo stands in a clone only: what npm installs has to work without it.',
      severity: 'error',
      from: { pathNot: '^(cli/src/commands/demo[.]ts|demo/.*|e2e/.*)$' },
      to: { path: '^demo/' },
    },
    {
      name: 'only-the-command-line-starts-runners',
      comment: 'A runner works on a device without a browser, and the console has no private way to devices.',
      severity: 'error',
      from: { path: '^web/' },
      to: { path: '^runner/' },
    },
    ...order,
    {
      name: 'pages-ask-by-their-queries',
      comment:
        'What a page reads and changes stands in the queries of its domain, so that one finds every call of an operation there.',
      severity: 'error',
      from: {
        path: '^web/src/',
        pathNot: [
          '[/-]queries[.]ts$',
          '^web/src/(connection|live)/',
          '^web/src/router[.]tsx$',
          '^web/src/main[.]tsx$',
        ],
      },
      to: { path: '^web/src/connection/query[.]ts$' },
    },
    {
      name: 'one-client-of-the-console',
      comment: 'One place knows the token and what to do when it is over; a second client would not.',
      severity: 'error',
      from: {
        path: '^web/src/',
        pathNot: '[/-]queries[.]ts$|^web/src/(connection|auth|shell|live)/|^web/src/(router|main)[.]tsx$',
      },
      to: { path: '^web/src/connection/client[.]ts$' },
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
          '^server/src/engine/(errors|checks)[.]ts$',
          '^server/src/records/record[.]ts$',
          '^server/src/.*rules[.]ts$',
          '^server/src/access/users/permissions[.]ts$',
          '^server/src/why/(words|facts)[.]ts$',
          '^(node:)?crypto$',
          // Days and clocks of time zones, as values.
          '^node_modules/@internationalized/date/',
          // How many letters two words differ by.
          '^node_modules/leven/',
        ],
      },
    },
    {
      name: 'sql-only-states',
      comment:
        'A query is one statement with its parameters. Deciding is for rules, and the order of work for operations. Journal and records ' +
        'have the parts of statements that many of them share.',
      severity: 'error',
      from: { path: '^server/src/.*sql[.]ts$' },
      to: {
        ...runTime,
        pathNot: [
          '^server/src/engine/db[.]ts$',
          // Long parameters are written in parts, a statement each.
          '^server/src/engine/json/write[.]ts$',
          '^api/',
          '^server/src/.*sql[.]ts$',
          '^server/src/(journal|records)/',
        ],
      },
    },
    {
      name: 'sql-stays-in-its-room',
      comment:
        "A room's tables are read and written by its own statements only; others call its functions. Admission alone reads caller and " +
        'queue before any operation runs.',
      severity: 'error',
      from: {
        path: '^(server|bench|e2e|scripts)/(?:src/)?([^/]+)',
        pathNot: '^server/src/admission[.]ts$',
      },
      to: { path: '^server/src/.*sql[.]ts$', pathNot: ['^server/src/$2/'] },
    },
    {
      name: 'fastify-in-http-only',
      comment:
        'One place turns HTTP into operations, so that strictness, permissions and errors are the same everywhere.',
      severity: 'error',
      from: { path: '^server/', pathNot: '^server/src/engine/http/' },
      to: { path: 'node_modules/(@fastify/|fastify/)' },
    },
    {
      name: 'pg-in-db-only',
      comment:
        'One place sets how values are read, so that no 64-bit id or number loses digits on the way. The notifier ' +
        'keeps a connection of its own, and the start looks at sessions: they read no rows of ours. Benchmarks measure tables ' +
        'that are not ours.',
      severity: 'error',
      from: {
        path: '^(server|e2e|scripts)/',
        pathNot:
          '^server/src/engine/(connection|db|migrate|notifier|sessions)[.]ts$|^server/src/(postgres|testing)/|[.]test[.]ts$',
      },
      to: { path: ['node_modules/pg/', 'node_modules/@types/pg/', 'node_modules/pg-'] },
    },
    {
      name: 'testing-is-for-tests',
      comment: 'What runs in production must not depend on what only tests need.',
      severity: 'error',
      from: { path: '^(api|server|cli|demo|runner|web)/', pathNot: tests },
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
      from: { path: '^(server|cli|demo|runner|web)/', pathNot: `${tests}|^web/vite[.]config[.]ts$` },
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
