import { toId, type Id } from '@millrace/api';
import { useSuspenseQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import type { Request } from '../connection/request.ts';
import { Ask, AskButton } from '../dialogs/ask.tsx';
import { carryOut } from '../dialogs/queries.ts';
import { MayNot } from '../page/may-not.tsx';
import { Text } from '../page/text.tsx';
import { useTitle } from '../page/title.ts';
import { queueQuery } from '../queues/queries.ts';
import { m } from './messages.ts';
import { PickRole, PickUser } from './pick.tsx';
import {
  consumerRequest,
  consumersQuery,
  memberRequest,
  membersQuery,
  removeConsumerRequest,
  removeMemberRequest,
  roles,
  type Member,
  type Role,
} from './queries.ts';
import css from './members.module.css';

export { loadMembers as load } from './queries.ts';

/** Does something, and says what came of it. */
type Act = (request: Request, outcome: string) => void;

/** The members of a queue, and the users who work on its items. */
export function Page() {
  const { id } = useParams({ from: '/frame/queues/$id/members' });
  const { data: queue } = useSuspenseQuery(queueQuery(toId(id)));
  const [said, setSaid] = useState('');
  const [problem, setProblem] = useState('');
  useTitle(m.members.title, queue.name ?? id);
  const act: Act = (request, outcome) => {
    setProblem('');
    const refuse = (error: Error) => setProblem(error.message);
    void carryOut([request]).then(() => setSaid(outcome), refuse);
  };
  const off = (name: string) => setSaid(m.members.removed(name));
  const mayEdit = queue.capabilities?.includes('edit') === true;
  return (
    <div className={css.page}>
      <h2>{m.members.title}</h2>
      <p role="status">{said}</p>
      <p role="alert" className="problem">
        {problem}
      </p>
      {!mayEdit && <MayNot queue={queue}>{m.members.mayNot}</MayNot>}
      <fieldset disabled={!mayEdit} className={css.all}>
        <People queueId={toId(id)} act={act} onOff={off} />
        <Consumers queueId={toId(id)} act={act} onOff={off} />
      </fieldset>
    </div>
  );
}

interface Props {
  readonly queueId: Id;
  readonly act: Act;
  /** Says who was removed. */
  readonly onOff: (name: string) => void;
}

function People({ queueId, act, onOff }: Props) {
  const { data } = useSuspenseQuery(membersQuery(queueId));
  const set = (userId: Id, name: string, role: Role) =>
    act(memberRequest(queueId, userId, role), m.members.saved(name));
  const known = new Set(data.list.map(({ userId }) => String(userId)));
  return (
    <section>
      <h3>{m.members.people}</h3>
      <table className={css.table}>
        <thead>
          <tr>
            <th scope="col">{m.members.name}</th>
            <th scope="col">{m.members.role}</th>
            <td />
          </tr>
        </thead>
        <tbody>
          {data.list.map((member) => (
            <Person key={String(member.userId)} member={member} {...{ queueId, onOff, set }} />
          ))}
        </tbody>
      </table>
      <PickUser
        without={known}
        onPick={set}
        requestOf={(userId, role) => memberRequest(queueId, userId, role)}
      />
    </section>
  );
}

interface PersonProps extends Omit<Props, 'act'> {
  readonly member: Member;
  readonly set: (userId: Id, name: string, role: Role) => void;
}

function Person({ member, queueId, onOff, set }: PersonProps) {
  const { userId = 0, username = '', role = 'MEMBER' } = member;
  return (
    <tr>
      <th scope="row">
        <Text>{username}</Text>
      </th>
      <td>
        <select
          aria-label={m.members.roleOf(username)}
          value={role}
          onChange={({ target }) => set(userId, username, target.value as Role)}
        >
          {roles.map((one) => (
            <option key={one} value={one}>
              {m.members.roles[one]}
            </option>
          ))}
        </select>
      </td>
      <td>
        <Off
          name={username}
          text={m.members.offText}
          request={removeMemberRequest(queueId, userId)}
          onOff={onOff}
        />
      </td>
    </tr>
  );
}

interface OffProps extends Pick<Props, 'onOff'> {
  readonly name: string;
  /** The consequence of the removal. */
  readonly text: string;
  readonly request: Request;
}

/** Removes somebody, once that is confirmed. */
function Off({ name, text, request, onOff }: OffProps) {
  return (
    <AskButton className="quiet" label={m.members.off} name={m.members.remove(name)}>
      {(close) => (
        <Ask
          title={m.members.remove(name)}
          confirm={m.members.off}
          isDanger
          requests={[request]}
          onCancel={close}
          onDone={() => {
            close();
            onOff(name);
          }}
        >
          <p>{text}</p>
        </Ask>
      )}
    </AskButton>
  );
}

function Consumers({ queueId, act, onOff }: Props) {
  const { data } = useSuspenseQuery(consumersQuery(queueId));
  const add = (roleId: Id, name: string) => act(consumerRequest(queueId, roleId), m.members.saved(name));
  return (
    <section>
      <h3>{m.members.consumers}</h3>
      <p className="soft">{data.list.length === 0 ? m.members.noConsumers : m.members.consumersText}</p>
      <ul className={css.list}>
        {data.list.map(({ roleId = 0, roleName = '' }) => (
          <li key={String(roleId)}>
            <Text>{roleName}</Text>{' '}
            <Off
              name={roleName}
              text={m.members.offConsumerText}
              request={removeConsumerRequest(queueId, roleId)}
              onOff={onOff}
            />
          </li>
        ))}
      </ul>
      <PickRole
        without={new Set(data.list.map(({ roleId }) => String(roleId)))}
        onPick={add}
        requestOf={(roleId) => consumerRequest(queueId, roleId)}
      />
    </section>
  );
}
