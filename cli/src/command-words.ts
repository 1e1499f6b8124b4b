import { operations, type Operation, type OperationId } from '@millrace/api';

// Operations whose command is written by hand, outside the groups.
const byHand: ReadonlyMap<string, string> = new Map<OperationId, string>([
  ['createWorkItemsFromFile', 'upload'],
  ['listEvents', 'events'],
  ['logIn', 'login'],
  ['logOut', 'logout'],
  ['streamEvents', 'events --follow'],
]);

/** Whether the command of an operation is written by hand. */
export function isByHand(operationId: OperationId): boolean {
  return byHand.has(operationId);
}

/** The arguments with an operationId in the place of a command, such as `getQueue 5`, as the command it stands for. */
export function withCommandWords(argv: readonly string[]): string[] {
  const [first = '', ...rest] = argv;
  const operation = Object.entries<Operation>(operations).find(([operationId]) => operationId === first)?.[1];
  const words = byHand.get(first) ?? operation?.cli;
  return words ? [...words.split(' '), ...rest] : [...argv];
}

/** What the server says, with commands in the place of requests such as `POST /v4/wlm/queues/7/archive`. */
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

/** The values that a path has for the parameters of a template; none when it is another path. */
function valuesIn(template: string, path: string): string[] | undefined {
  const pattern = new RegExp(`^${template.replace(/\{\w+\}/g, '([^/]+)')}$`);
  return pattern.exec(path)?.slice(1);
}
