import type { Id } from '@millrace/api';
import { useQuery } from '@tanstack/react-query';
import { useMay } from '../connection/may.ts';
import { Text } from '../page/text.tsx';
import { m } from './messages.ts';
import { crowdQuery } from './queries.ts';
import { isSame } from './rules.ts';

interface Props {
  readonly ids: readonly Id[];
  /** The people who may. */
  readonly children: string;
}

/** Why something is disabled: who may do it, and whom to ask, by their names where users may be seen. */
export function AskOwners({ ids, children }: Props) {
  const { data } = useQuery({ ...crowdQuery(), enabled: useMay('viewUsers') });
  const owners = data?.list.filter((one) => !one.disabled && ids.some((id) => isSame(id, one.id))) ?? [];
  return (
    <small className="soft">
      {children}
      {owners.length > 0 && (
        <>
          {' '}
          <Text>{m.people.owners(owners.map(({ username }) => username).join(', '))}</Text>
        </>
      )}
    </small>
  );
}
