import type { Schemas } from '@millrace/api';

export type ExportRequest = Schemas['ExportRequest'];
type Member = NonNullable<ExportRequest['fields']>[number];
export type Format = NonNullable<ExportRequest['format']>;

/** The members of an item that can be columns, the most wanted ones first. */
export const members: readonly Exclude<Member, 'json'>[] = [
  'id',
  'status',
  'failureKind',
  'error',
  'priority',
  'tags',
  'comment',
  'resultText',
  'retryCount',
  'createdOn',
  'updatedOn',
  'startTime',
  'endTime',
  'deferredUntil',
  'expiresOn',
  'deviceId',
  'batchId',
  'result',
  'output',
  'progress',
  'createdBy',
  'updatedBy',
  'lapseCount',
  'version',
  'modelVersion',
  'automationId',
  'deviceUserId',
  'notBefore',
  'leaseExpiresOn',
  'pointOfNoReturnOn',
  'cancelRequestedOn',
  'cancelRequestedBy',
  'cancelReason',
];

/** The members and attributes chosen for the file. */
export interface Columns {
  readonly members: ReadonlySet<string>;
  readonly attributes: ReadonlySet<string>;
}

/** The columns of a list on screen, where display columns stand for attributes by their place. */
export function columnsAsListed(
  shown: readonly string[],
  displayColumns: readonly string[],
  attributes: readonly string[],
): Columns {
  const named = shown.flatMap((id) =>
    /^col\d+$/.test(id) ? (displayColumns[Number(id.slice(3)) - 1] ?? []) : [],
  );
  return {
    members: new Set(members.filter((name) => shown.includes(name))),
    attributes: new Set(attributes.filter((name) => named.includes(name))),
  };
}

export interface Draft {
  readonly format: Format;
  readonly columns: Columns;
  readonly timeZone: string;
  readonly delimiter: NonNullable<ExportRequest['delimiter']>;
  readonly decimalSign: NonNullable<ExportRequest['decimalSign']>;
  readonly isPlain: boolean;
}

/** The request for a choice; undefined while no column is chosen. @param all the attributes of the model */
export function exportOf(
  { format, columns, timeZone, delimiter, decimalSign, isPlain }: Draft,
  all: readonly string[],
): ExportRequest | undefined {
  const chosen = all.filter((name) => columns.attributes.has(name));
  const fields: Member[] = [
    ...members.filter((name) => columns.members.has(name)),
    ...(chosen.length > 0 ? ['json' as const] : []),
  ];
  if (fields.length === 0) return undefined;
  const isTable = format !== 'NDJSON';
  return {
    format,
    fields,
    ...(isTable && { timeZone }),
    ...(isTable && chosen.length > 0 && chosen.length < all.length && { attributes: chosen }),
    ...(format === 'CSV' && { delimiter, decimalSign }),
    ...(isPlain && { plain: true }),
  };
}
