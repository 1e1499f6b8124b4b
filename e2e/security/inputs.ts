import { expect } from 'vitest';
import { gzipSync } from 'node:zlib';
import { zipOf } from '../../server/src/intake/table/workbook.fixture.ts';
import { get, harmless, itemsOf, post, queues, refusal, send, type Attack, type Place } from './attack.ts';

const filter = (field: string, value: string, operator = 'eq') => ({ filter: { operator, field, value } });
const add = (place: Place, body: string | object) => post(place, itemsOf(place), body);
const item = (json: string) => `{"workItems":[{"json":${json}}]}`;
const model = (name: string, attributes: unknown[] = [{ name: 'a' }]) => ({ name, attributes });
const totalOf = (text: string) => (JSON.parse(text) as { page: { totalFilter: number } }).page.totalFilter;
const models = '/v4/wlm/workitemmodels';
const injections = [
  "'; drop table users; --",
  "' or '1'='1",
  '1); select pg_sleep(10); --',
  '$1',
  '\\',
  '%',
  '\u0027\u0020union select 1',
];

export const input: Attack[] = [
  ...injections.map((value) =>
    harmless(
      `SQL as the value of a filter: ${JSON.stringify(value)}`,
      '200: it is a text that no queue has for a name',
      async (place) => {
        const { status, text } = await post(place, queues, filter('name', value));
        expect([status, totalOf(text)]).toEqual([200, 0]);
      },
    ),
  ),
  ...['name; drop table queues', 'passwordHash', '__proto__', 'constructor', 'q.id', 'id::text'].map(
    (field) =>
      refusal(`A filter on the field ${JSON.stringify(field)}`, 400, (place) =>
        post(place, queues, filter(field, 'x')),
      ),
  ),
  refusal('SQL as the direction of a sort', 400, (place) =>
    post(place, queues, { sort: [{ field: 'id', direction: 'asc; drop table queues' }] }),
  ),
  refusal('SQL as the operator of a filter', 400, (place) =>
    post(place, queues, filter('name', 'x', 'eq or true')),
  ),
  refusal('SQL as an id in the path', [400, 404], (place) => get(place, `/v4/wlm/queues/1%20or%201=1`)),
  ...['-1', '01', '+1', '1e3', '0x1', '9223372036854775808', '1.0', ' 1', '１'].map((id) =>
    refusal(`The id ${JSON.stringify(id)}`, [400, 404], (place) =>
      get(place, `/v4/wlm/queues/${encodeURIComponent(id)}`),
    ),
  ),
  refusal('A member that the operation does not know', 400, (place) =>
    post(place, queues, { isAdmin: true }),
  ),
  refusal('The member __proto__', 400, (place) => post(place, queues, '{"__proto__":{"isAdmin":true}}')),
  refusal('A member twice', 400, (place) => post(place, queues, '{"page":{"length":1},"page":{"length":2}}')),
  refusal('A parameter that the operation does not know', 400, (place) =>
    get(place, '/v2/usermanagement/me?isAdmin=true'),
  ),
  refusal('JSON that breaks off', 400, (place) => post(place, queues, '{"page":')),
  refusal('JSON with a comment', 400, (place) => post(place, queues, '{/* x */}')),
  refusal('The number NaN', 400, (place) => add(place, item('{"customer":"x","amount":NaN}'))),
  refusal('The number 1e999999', 400, (place) => add(place, item('{"customer":"x","amount":1e999999}'))),
  refusal('A text where a number is wanted', 400, (place) =>
    add(place, item('{"customer":"x","amount":"1 or 1=1"}')),
  ),
  refusal('A list for an item', 400, (place) => add(place, item('[]'))),
  refusal('A character that PostgreSQL cannot keep (U+0000)', 400, (place) =>
    add(place, item('{"customer":"a\\u0000b"}')),
  ),
  refusal('Half of a character (a lone surrogate)', 400, (place) =>
    add(place, item('{"customer":"\\ud800"}')),
  ),
  refusal('A name with invisible characters', 400, (place) => post(place, models, model('in\u200bvoices'))),
  refusal('A name that turns the direction of writing', 400, (place) =>
    post(place, models, model('\u202egpj.exe')),
  ),
  refusal('A name with a line break, for forged lines of a log', 400, (place) =>
    post(place, models, model('a\nERROR forged')),
  ),
  refusal('A date that does not exist', 400, (place) =>
    add(place, item('{"customer":"x","due":"2024-02-30"}')),
  ),
  harmless(
    'Data of an item with the member __proto__',
    'refused as no attribute, and nothing is changed by it',
    async (place) => {
      const { status } = await add(place, item('{"customer":"x","__proto__":{"polluted":true}}'));
      expect([200, 400]).toContain(status);
      expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    },
  ),
  harmless(
    'A script as the data of an item',
    'kept and answered as JSON that no browser takes for a page',
    async (place) => {
      const { status, text, headers } = await add(place, item('{"customer":"<script>alert(1)</script>"}'));
      expect([status, headers['content-type'], headers['x-content-type-options']]).toEqual([
        200,
        expect.stringMatching(/^application\/json/),
        'nosniff',
      ]);
      expect(text).toContain('<script>');
    },
  ),
  harmless('Wildcards of SQL in a search', '200: they are characters like others', async (place) => {
    const { text } = await post(place, queues, filter('name', '%', 'substring'));
    expect(totalOf(text)).toBe(0);
  }),
];

const boundary = 'security';

/** Sends a file as a form would. */
function upload(
  place: Place,
  file: string | Buffer,
  { name = 'items.csv', query = '', token = place.queue.owner.token } = {},
) {
  const head = `--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="${name}"\r\n\r\n`;
  const body = Buffer.concat([
    Buffer.from(head),
    Buffer.from(file as string),
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ]);
  const headers = { 'content-type': `multipart/form-data; boundary=${boundary}`, 'x-authorization': token };
  return send(place, ['POST', `/v4/wlm/queues/${place.queue.id}/file${query}`], { headers, body });
}

const form = (place: Place, body: string, type = `multipart/form-data; boundary=${boundary}`) =>
  send(place, ['POST', `/v4/wlm/queues/${place.queue.id}/file`], {
    headers: { 'content-type': type, 'x-authorization': place.queue.owner.token },
    body,
  });

export const files: Attack[] = [
  refusal('A picture', 400, (place) =>
    upload(place, Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'), { name: 'x.csv' }),
  ),
  refusal('A program', 400, (place) =>
    upload(place, Buffer.concat([Buffer.from('7f454c46', 'hex'), Buffer.alloc(500)])),
  ),
  refusal('An archive that is no workbook', 400, (place) => upload(place, zipOf({ '../../evil.txt': 'x' }))),
  refusal('A small file that inflates to 60 MB', [400, 413], (place) =>
    upload(place, gzipSync(Buffer.alloc(60_000_000, 'a'))),
  ),
  refusal('A compressed file that breaks off', 400, (place) =>
    upload(place, gzipSync('customer\n'.repeat(9999)).subarray(0, 60)),
  ),
  refusal('A workbook whose parts lead out of it', 400, (place) =>
    upload(place, zipOf({ '[Content_Types].xml': '<x/>', '../../xl/workbook.xml': '<x/>' }), {
      name: 'x.xlsx',
    }),
  ),
  refusal('A workbook with entities that name a file of the server', 400, (place) =>
    upload(
      place,
      zipOf({
        '[Content_Types].xml': '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>',
        'xl/workbook.xml': '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>',
      }),
      { name: 'x.xlsx' },
    ),
  ),
  refusal('An empty file', 400, (place) => upload(place, '')),
  refusal('A file without the column that is needed', 400, (place) => upload(place, 'other\nx\n')),
  refusal('A column twice', 400, (place) => upload(place, 'customer,customer\nx,y\n')),
  refusal('Twenty thousand columns', 400, (place) =>
    upload(place, `${Array.from({ length: 20_000 }, (_, n) => `c${n}`).join(',')}\n`),
  ),
  refusal('A quote that never ends', 400, (place) => upload(place, `customer\n"${'x'.repeat(2_000_000)}`)),
  refusal('A form without a file', 400, (place) =>
    form(place, `--${boundary}\r\ncontent-disposition: form-data; name="x"\r\n\r\ny\r\n--${boundary}--\r\n`),
  ),
  refusal('A form that breaks off', 400, (place) =>
    form(place, `--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="x"\r\n\r\ncustomer`),
  ),
  refusal('Two files at once', 400, (place) => {
    const part = `--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="x.csv"\r\n\r\ncustomer\r\nx\r\n`;
    return form(place, `${part}${part}--${boundary}--\r\n`);
  }),
  refusal('A form without a boundary', [400, 415], (place) => form(place, 'x', 'multipart/form-data')),
  refusal('JSON in the place of a file', 415, (place) => form(place, '{}', 'application/json')),
  refusal('A file by somebody who does not belong to the queue', 404, (place) =>
    upload(place, 'customer\nx\n', { token: place.basic.token }),
  ),
  harmless('A name of a file that leads elsewhere', '200: nothing is stored under it', async (place) => {
    const { status } = await upload(place, 'customer\nfrom elsewhere\n', {
      name: '../../../../tmp/evil.csv',
    });
    expect(status).toBe(200);
  }),
  harmless('A formula in a cell', '200: it is a text, and nothing calculates it', async (place) => {
    const { status } = await upload(place, 'customer\n"=HYPERLINK(""http://evil.example"")"\n');
    expect(status).toBe(200);
  }),
];
