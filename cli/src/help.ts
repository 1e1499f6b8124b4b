import type { Command } from 'commander';
import { timeForms } from './times.ts';

/** Summaries of the groups of commands; other groups are named only. */
export const groupSummaries: Readonly<Record<string, string>> = {
  queue: 'Queues: create, watch, change, and who may use them',
  item: 'Work items: create, find, process, repair',
  batch: 'Batches: what came in together or was changed together, and where all of it is',
  model: 'Work item models: what the items of a queue hold',
  device: 'Devices: which there are, and take them out of use',
  pool: 'Pools: devices that share work',
  automation: 'Automations: which bot works on which queue, and on which devices',
  user: 'Users',
  role: 'Roles: what users may do',
  'api-key': 'API keys: log-ins for programs',
  session: 'Sessions: who is logged in',
  tenant: 'Tenants: who shares the installation',
  'signing-key': 'Keys that sign log-in tokens',
  audit: 'The audit trail: prove that nothing of it was changed, and take it out',
  calendar: 'Calendars: the working hours and holidays by which service levels count',
  view: 'Views: filters and columns of item lists, saved under a name',
  'sealing-key': 'Keys that sign the seals of the audit trail',
};

export const examples: Readonly<Record<string, readonly string[]>> = {
  '': [
    'millrace login',
    'millrace queue list',
    'millrace upload credit applications.csv',
    'millrace run --queue credit --slots 4 -- python3 score.py',
    'millrace item list credit --where status=FAILED --json | jq .list[].error',
  ],
  serve: ['millrace serve --port 9000 --data /var/lib/millrace'],
  status: ['millrace status', 'millrace status --url https://millrace.example.com --json'],
  demo: ['millrace demo', 'millrace demo --story distribution', 'millrace demo --keep'],
  login: [
    'millrace login',
    'millrace login --url https://millrace.example.com --username ana --password-stdin < password.txt',
  ],
  'admin reset-password': [
    'millrace admin reset-password',
    'millrace admin reset-password ana --data /var/lib/millrace',
  ],
  password: ['millrace password', 'millrace password < two-lines.txt'],
  user: [
    'millrace user list',
    'millrace user update ana --roles "AAE_Queue Admin"',
    'millrace user disable ana',
  ],
  upload: ['millrace upload credit applications.csv'],
  run: [
    'millrace run --queue credit -- python3 score.py',
    'millrace run --queue credit --slots 4 --timeout-seconds 120 -- node bot.mjs --fast',
    'millrace run --queue credit --warm -- python3 warm_bot.py',
  ],
  agent: ['millrace agent --config agent.yaml', 'millrace agent --config agent.yaml --check'],
  events: [
    'millrace events --follow',
    'millrace events --queue credit --operation finishWorkItems --last 100',
    'millrace events --after 0-0 --json > everything.jsonl',
  ],
  'audit verify': ['millrace audit verify', 'millrace audit verify --head "$(cat noted-elsewhere)"'],
  'audit export': ['millrace audit export --output audit.ndjson', 'millrace audit export --from-seal 100'],
  queue: ['millrace queue list', 'millrace queue stats credit'],
  'queue create': [
    'millrace queue create --name credit --work-item-model-id 1 --auto-retry-limit 2',
    'millrace queue create --body @queue.json',
  ],
  'queue preview': ['millrace queue preview credit applications.xlsx --date-format dd/mm/yyyy'],
  'queue list': ['millrace queue list --where status=ACTIVE --sort -updatedOn --limit 20'],
  'queue update': ['millrace queue update credit --status INACTIVE'],
  'queue upload-errors': [
    'millrace queue upload-errors credit 4',
    'millrace queue upload-errors credit 4 --output corrections.csv',
  ],
  'queue undo-upload': [
    'millrace queue undo-upload credit 4 --dry-run',
    'millrace queue undo-upload credit 4',
  ],
  'queue pause': ['millrace queue pause credit --reason "Month-end closing" --until "tomorrow 08:00"'],
  'queue set-member': ['millrace queue set-member credit ana --role OWNER'],
  'queue remove-member': ['millrace queue remove-member credit ana'],
  'queue add-consumer': ['millrace queue add-consumer credit --role-id "AAE_Bot Runner"'],
  item: ['millrace item list credit --where status=FAILED', 'millrace item events credit 17'],
  batch: ['millrace batch list credit', 'millrace batch get credit 12'],
  'batch create': [
    `millrace batch create credit --name "Payments of 2 March" --expected '{"items":3,"sums":{"amount":1749.9}}'`,
  ],
  'item create': [
    `millrace item create credit --data '{"customer":"A-17","amount":1200}' --priority 7`,
    'millrace item create credit --body @items.json',
  ],
  'item export': [
    'millrace item export credit failed.xlsx --where status=FAILED --time-zone Europe/Berlin',
    'millrace item export credit --format NDJSON - | jq .json',
  ],
  'item list': [
    'millrace item list credit --where status=FAILED --where failureKind=BUSINESS',
    'millrace item list credit --where "updatedOn>=2h ago"',
    'millrace item list credit --sort -updatedOn --limit 20 --json',
  ],
  'item claim': ['millrace item claim credit --count 10 --lease-seconds 300 --wait-seconds 30'],
  'item finish': [
    `millrace item finish credit --results '[{"id":17,"version":1,"status":"COMPLETE","output":{"score":0.8}}]'`,
  ],
  'item update': ['millrace item update credit 17 --status FAILED --comment "Customer withdrew"'],
  'item bulk': [
    'millrace item bulk credit --action RESTART --where status=FAILED --dry-run',
    'millrace item bulk credit --action DEFER --ids 4,7,9 --deferred-until "monday 09:00"',
  ],
  'item restart': ['millrace item restart credit 17 --reason "The ERP is back"'],
  'model create': [
    `millrace model create --name credit --attributes '[{"name":"customer"},{"name":"amount","type":"NUMBER"}]'`,
  ],
  device: ['millrace device list --where status=DISCONNECTED', 'millrace events --device-id runner-01'],
  'device register': [
    'millrace device register --host-name runner-01 --labels sap --bots "Post invoice" --slots 2',
  ],
  'device list': ['millrace device list --where state=ACTIVE --where labels=sap --sort hostName'],
  'device drain': ['millrace device drain runner-01 --reason "The host is patched tonight"'],
  'pool create': [
    'millrace pool create --name Finance --scheme FAIR --device-ids runner-01,runner-02 --consumer-role-ids "AAE_Bot Runner"',
  ],
  'pool update': [`millrace pool update Finance --device-ids '[3,4,5]'`],
  'automation create': [
    'millrace automation create --name "Post invoices" --queue-id credit --pool-id Finance --bot-name "Post invoice" --labels sap',
  ],
  'automation update': [
    'millrace automation update "Post invoices" --status PAUSED --status-reason "The ERP is down"',
  ],
  'user create': [
    'millrace user create --username runner-1 --roles "AAE_Bot Runner"',
    'millrace user create --username ana --password-stdin < password.txt',
  ],
  'api-key create': ['millrace api-key create --name "night run"'],
  completion: [
    'source <(millrace completion bash)        # in ~/.bashrc',
    'source <(millrace completion zsh)         # in ~/.zshrc',
    'millrace completion fish > ~/.config/fish/completions/millrace.fish',
  ],
};

const exitCodeText = `
Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 server not reachable, 4 not logged in.
Where a queue, pool, automation, device, model, role or user is asked for, its name or its id will do.
Where a time is asked for: ${timeForms};
without an offset it is your local time. In --where also 2h ago and yesterday.
A change is made to the current version; with --version only to that one, so that nothing newer is overwritten.
Data goes to stdout, messages to stderr. Each command is also known by its operation: millrace getQueue 5.`;

/** Adds examples to the help of each command that has some, and the common rules to the help of the program. */
export function addExamples(command: Command, words = ''): void {
  const lines = examples[words] ?? [];
  if (lines.length > 0)
    command.addHelpText('after', `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}`);
  if (words === '') command.addHelpText('after', exitCodeText);
  for (const inner of command.commands) addExamples(inner, `${words} ${inner.name()}`.trim());
}
