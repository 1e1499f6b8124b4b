import { useSuspenseQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Ask, AskButton } from '../dialogs/ask.tsx';
import { may } from '../people/queries.ts';
import { Facts } from './facts.tsx';
import { m } from './messages.ts';
import { healthQuery, rotateSigningKey, signingKeyRequest } from './queries.ts';
import css from './settings.module.css';

/** The facts of the server; its operators can have it sign with a new key. */
export function Server() {
  const { data } = useSuspenseQuery(healthQuery());
  const [said, setSaid] = useState('');
  return (
    <>
      <Facts
        facts={[
          [m.settings.address, location.host],
          [m.settings.version, data.version],
        ]}
      />
      <p role="status" className={css.said}>
        {said}
      </p>
      {may('manageInstallation') && (
        <AskButton label={m.settings.signingKey} className="danger">
          {(close) => <SigningKey onSaid={setSaid} onClose={close} />}
        </AskButton>
      )}
    </>
  );
}

interface Props {
  readonly onSaid: (said: string) => void;
  readonly onClose: () => void;
}

function SigningKey({ onSaid, onClose }: Props) {
  const [endsSessions, setEndsSessions] = useState(false);
  const act = async () => {
    const { id } = await rotateSigningKey(endsSessions);
    onSaid(m.settings.rotated(id));
  };
  return (
    <Ask
      title={m.settings.signingKey}
      isDanger
      requests={[signingKeyRequest(endsSessions)]}
      act={act}
      onDone={onClose}
    >
      <p>{m.settings.signingKeyText}</p>
      <label className={css.check}>
        <input
          type="checkbox"
          checked={endsSessions}
          onChange={({ target }) => setEndsSessions(target.checked)}
        />
        <span>{m.settings.endSessions}</span>
        <small>{m.settings.endSessionsText}</small>
      </label>
    </Ask>
  );
}
