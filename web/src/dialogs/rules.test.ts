import { describe, expect, it } from 'vitest';
import { idToCome, requestFor } from '../connection/request.ts';
import { commandOf, curlOf } from './rules.ts';

describe('commandOf', () => {
  it('gives what the path names as arguments, the query as flags and the body whole', () => {
    expect(commandOf(requestFor('disableUser', { path: { id: 21 } }))).toBe('millrace user disable 21');
    expect(commandOf(requestFor('deleteRole', { path: { id: 8 }, query: { dryRun: true } }))).toBe(
      'millrace role delete 8 --dry-run',
    );
    const update = requestFor('updateUser', { path: { id: 9007199254740993n }, body: { version: 0 } });
    expect(commandOf(update)).toBe(`millrace user update 9007199254740993 --body '{"version":0}'`);
  });

  it('leaves a body out that says nothing, and knows which calls have no command', () => {
    expect(commandOf(requestFor('resumeQueue', { path: { id: 3 }, body: {} }))).toBe(
      'millrace queue resume 3',
    );
    const change = requestFor('changePassword', { body: { password: '-', newPassword: '-' } });
    expect(commandOf(change)).toBeUndefined();
  });

  it('names an id that is not there yet by what it will be the id of', () => {
    const [queue, model] = [idToCome('QUEUE'), idToCome('MODEL')];
    const create = requestFor('createQueue', { body: { name: 'Bills', workItemModelId: model } });
    expect(commandOf(create)).toBe(
      `millrace queue create --body '{"name":"Bills","workItemModelId":MODEL_ID}'`,
    );
    const add = requestFor('addQueueConsumer', { path: { id: queue }, body: { roleId: 5 } });
    expect(commandOf(add)).toBe(`millrace queue add-consumer QUEUE_ID --body '{"roleId":5}'`);
    expect(curlOf(add)).toContain('"$URL/v4/wlm/queues/QUEUE_ID/consumers"');
  });
});

describe('what a shell reads', () => {
  it('is what somebody wrote, whatever stands in it', () => {
    const reason = `it's "$(reboot)" \`x\``;
    const pause = requestFor('pauseQueue', { path: { id: 3 }, body: { reason } });
    const written = String.raw`'{"reason":"it'\''s \"$(reboot)\" ${'`x`'}"}'`;
    expect(commandOf(pause)).toBe(`millrace queue pause 3 --body ${written}`);
    expect(curlOf(pause)).toBe(
      `curl -X POST "$URL/v4/wlm/queues/3/pause" \\\n  -H "Authorization: Bearer $TOKEN" \\\n` +
        `  -H 'Content-Type: application/json' \\\n  -d ${written}`,
    );
    const end = requestFor('endSession', { path: { sessionId: 'a b/"$x"' } });
    expect(commandOf(end)).toBe(`millrace session end 'a b/"$x"'`);
    expect(curlOf(end)).toContain('"$URL/v2/usermanagement/sessions/a%20b%2F%22%24x%22"');
  });
});
