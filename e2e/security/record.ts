import { expect } from 'vitest';
import { seal, verify } from '../../server/src/testing/audit.ts';
import { keyFile } from '../../server/src/testing/key-file.ts';
import { get, harmless, refusal, send, type Attack, type Place } from './attack.ts';

const file = keyFile();

/** The findings after an owner of the database has run a statement on a sealed event; afterwards the event is as before. */
async function found(place: Place, statement: string): Promise<string[]> {
  const { app } = place;
  await seal(app, file);
  await app.sql('create table kept_events as select * from events');
  try {
    await app.sql(statement);
    return (await verify(app.admin)).kinds;
  } finally {
    await app.sql('delete from events');
    await app.sql('insert into events overriding system value select * from kept_events');
    await app.sql('drop table kept_events');
  }
}

const first = '(select min(id) from events where tenant_id = 1)';

/** Attacks on the record of events. */
export const record: Attack[] = [
  harmless('An event, altered in the database', 'its seal says so', async (place) =>
    expect(await found(place, `update events set actor_id = 99 where id = ${first}`)).toEqual(['ALTERED']),
  ),
  harmless('An event, deleted in the database', 'its seal says so', async (place) =>
    expect(await found(place, `delete from events where id = ${first}`)).toEqual(['MISSING']),
  ),
  harmless('An event, put among old ones in the database', 'their seals say so', async (place) => {
    const columns = 'tenant_id, queue_id, item_id, operation, actor_id, at, tx';
    const statement = `insert into events (${columns}) select ${columns} from events where id = ${first}`;
    expect(await found(place, statement)).toEqual(['INSERTED']);
  }),
  harmless('The key that signs seals, from the database', 'only its public half is there', async (place) => {
    await seal(place.app, file);
    const keys = JSON.stringify(await place.app.sql('select * from sealing_keys'));
    expect(keys).toContain('BEGIN PUBLIC KEY');
    expect(keys).not.toContain('PRIVATE');
  }),
  refusal('An administrator of a tenant retires the keys that sign seals', 403, (place) =>
    send(place, ['POST', '/v4/wlm/audit/keys'], { headers: { 'x-authorization': place.foreigner.token } }),
  ),
  refusal('A verification that begins at a piece of SQL', 400, async (place) => {
    const after = encodeURIComponent(`seals-1' or 1=1`);
    const token = { 'x-authorization': place.foreigner.token };
    return get(place, `/v4/wlm/audit/verification?after=${after}`, token);
  }),
  harmless('The audit trail of another tenant', 'each gets the seals of its own', async (place) => {
    const tenants = await Promise.all(
      [place.app.admin, place.foreigner.call].map(async (call) => (await call.getAuditHead()).body.tenant),
    );
    expect(new Set(tenants).size).toBe(2);
    await seal(place.app, file);
    const { body } = await place.foreigner.call.exportAudit({ body: {} });
    const text = await (body as unknown as Blob).text();
    expect(text).toContain(tenants[1]);
    expect(text).not.toContain(tenants[0]);
  }),
];
