import { useSuspenseQuery } from '@tanstack/react-query';
import { useTitle } from '../page/title.ts';
import { Command } from '../page/states.tsx';
import { KeysOf } from '../people/keys.tsx';
import { isSame } from '../people/rules.ts';
import { may, whoAmI } from '../people/queries.ts';
import { m } from './messages.ts';
import { Card, runningOn } from './page.tsx';
import { devicesQuery, workQuery } from './queries.ts';
import { worstFirst } from './rules.ts';
import css from './devices.module.css';

export { loadRunner as load } from './queries.ts';

/** An account for runners: its devices and keys are what whoever logs in with it looks for first. */
export function Page() {
  const { data: devices } = useSuspenseQuery(devicesQuery());
  const { data: work } = useSuspenseQuery(workQuery());
  const me = whoAmI();
  const own = worstFirst(devices.list.filter(({ userId }) => isSame(userId, me.id)));
  useTitle(m.devices.runners);
  return (
    <article className="page">
      <h1>{m.devices.runners}</h1>
      <p>{m.devices.runnersText}</p>
      <h2>{m.devices.own}</h2>
      {own.length === 0 && (
        <>
          <p>
            {m.devices.empty} {m.devices.emptyText}
          </p>
          <Command>millrace agent --config agent.yaml</Command>
        </>
      )}
      <div className={css.cards}>
        {own.map((device) => (
          <Card key={String(device.id)} device={device} running={runningOn(device, work.list)} />
        ))}
      </div>
      {may('generateApiKey') && (
        <>
          <h2>{m.devices.ownKeys}</h2>
          <KeysOf userId={me.id} />
        </>
      )}
    </article>
  );
}
