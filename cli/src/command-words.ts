import { operations, type Operation, type OperationId } from '@millrace/api';

// Operations whose commands are written by hand, outside the groups.
const byHand: ReadonlyMap<string, string> = new Map<OperationId, string>([
  ['beginSignOn', 'login --provider'],
  ['changePassword', 'password'],
  ['createWorkItemsFromFile', 'upload'],
  ['finishSignOn', 'login --provider'],
  ['getReadiness', 'status'],
  ['listEvents', 'events'],
  ['logIn', 'login'],
  ['logOut', 'logout'],
  ['streamEvents', 'events --follow'],
]);

/** Whether the command of an operation is written by hand. */
export function isByHand(operationId: OperationId): boolean {
  return byHand.has(operationId);
}

/** Replaces an operationId at the beginning, such as `getQueue 5`, by the words of its command. */
export function withCommandWords(argv: readonly string[]): string[] {
  const [first = '', ...rest] = argv;
  const operation = Object.entries<Operation>(operations).find(([operationId]) => operationId === first)?.[1];
  const words = byHand.get(first) ?? operation?.cli;
  return words ? [...words.split(' '), ...rest] : [...argv];
}

/** Replaces requests such as `POST /v4/wlm/queues/7/archive` in a message of the server by commands. */
export function inCommands(message: string): string {
  return message.replace(
    /\b(GET|POST|PUT|DELETE) (\/v\d\/[\w/]+)/g,
    (request, method: string, path: string) => {
      const command = commandFor(method, path);
      return command === undefined ? request : `\`millrace ${command}\``;
    },
  );
}

function commandFor(method: string, path: string): string | undefined {
  for (const [operationId, operation] of Object.entries<Operation>(operations)) {
    const words = byHand.get(operationId) ?? operation.cli;
    const values = operation.method === method ? valuesIn(operation.path, path) : undefined;
    if (words && values) return [words, ...values].join(' ');
  }
  return undefined;
}

/** The values in a path for the parameters of a template; undefined when the path does not match. */
function valuesIn(template: string, path: string): string[] | undefined {
  const pattern = new RegExp(`^${template.replace(/\{\w+\}/g, '([^/]+)')}$`);
  return pattern.exec(path)?.slice(1);
}
