import { useSuspenseQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Ask, AskButton, Reason } from '../dialogs/ask.tsx';
import { useEdited } from '../dialogs/edited.ts';
import { Others } from '../dialogs/meanwhile.tsx';
import { carryOut, remove } from '../dialogs/queries.ts';
import { MayNot } from '../page/may-not.tsx';
import { Text } from '../page/text.tsx';
import { EditAutomation, how, useWords } from './form.tsx';
import { m } from './messages.ts';
import { deleteRequest, queuesQuery, switchRequest, type Automation } from './queries.ts';
import type { Draft } from './rules.ts';
import { Try } from './try.tsx';

interface Props {
  readonly automation: Automation;
}

interface ActionsProps extends Props {
  /** Leaves its page once it is deleted. */
  readonly leave?: () => Promise<unknown>;
}

/** The actions on an automation, each in a dialog that says beforehand what it does. */
export function AutomationActions({ automation, leave }: ActionsProps) {
  const { name, status, capabilities } = automation;
  const isDisabled = !capabilities?.includes('edit');
  const action = status === 'ACTIVE' ? 'pause' : 'resume';
  return (
    <>
      <div role="group" aria-label={m.automations.actions(name)} className="buttons">
        <Try automation={automation} />
        <AskButton label={m.automations[action]} isDisabled={isDisabled}>
          {(close) => <Switch action={action} automation={automation} onDone={close} />}
        </AskButton>
        <AskButton label={m.automations.edit} isDisabled={isDisabled} isWide>
          {(close) => <EditAutomation automation={automation} onDone={close} />}
        </AskButton>
        <AskButton label={m.automations.delete} isDisabled={isDisabled} className="danger">
          {(close) => <Delete automation={automation} leave={leave} onDone={close} />}
        </AskButton>
      </div>
      {isDisabled && <MayNotChange automation={automation} />}
    </>
  );
}

/** Whom to ask: the owners of its queue, to those who see it. */
function MayNotChange({ automation: { queueId } }: Props) {
  const { data } = useSuspenseQuery(queuesQuery());
  const queue = data.list.find(({ id }) => id === queueId);
  return queue ? (
    <MayNot queue={queue}>{m.automations.mayNot}</MayNot>
  ) : (
    <small className="soft">{m.automations.mayNot}</small>
  );
}

interface FormProps extends Props {
  readonly onDone: () => void;
}

interface SwitchProps extends FormProps {
  readonly action: 'pause' | 'resume';
}

function useQueueName({ queueId }: Automation): string {
  const { data } = useSuspenseQuery(queuesQuery());
  return data.list.find(({ id }) => id === queueId)?.name ?? m.automations.queue(String(queueId));
}

type Switched = Draft & Pick<Automation, 'status'> & { readonly reason: string };

/** Its settings, and whether it is paused, are what others may change meanwhile; the reason is one's own. */
const howToSwitch = {
  ...how,
  draftOf: (automation: Automation): Switched => ({
    ...how.draftOf(automation),
    status: automation.status,
    reason: '',
  }),
  settingsOf: ({ status, reason: _, ...draft }: Switched) => ({
    ...how.settingsOf(draft),
    status,
  }),
};

/** Pauses or resumes, as asked for; where somebody else was faster, it says what they did first. */
function Switch({ action, automation: latest, onDone }: SwitchProps) {
  const [asked] = useState(action);
  const edited = useEdited(latest, howToSwitch);
  const words = useWords();
  const { base: automation, draft } = edited;
  const reason = draft.reason.trim();
  const queue = useQueueName(automation);
  const title = m.automations.heading(asked, automation.name);
  if (edited.others) return <Others title={title} edited={edited} words={words} onCancel={onDone} />;
  const request = switchRequest(automation, asked, reason);
  const effect = asked === 'pause' ? m.automations.pauseEffect(queue) : m.automations.resumeEffect(queue);
  return (
    <Ask
      title={title}
      confirm={m.automations[asked]}
      isReady={asked === 'resume' || reason !== ''}
      requests={[request]}
      act={() => edited.save(() => carryOut([request]))}
      onDone={onDone}
    >
      <p>
        <Text>{effect}</Text>
      </p>
      {asked === 'pause' && (
        <Reason
          label={m.automations.reason}
          reason={draft.reason}
          onChange={(typed) => edited.change({ reason: typed })}
          isRequired
        />
      )}
    </Ask>
  );
}

function Delete({ automation, leave, onDone }: FormProps & { readonly leave: ActionsProps['leave'] }) {
  const request = deleteRequest(automation);
  return (
    <Ask
      title={m.automations.heading('delete', automation.name)}
      confirm={m.automations.delete}
      isDanger
      requests={[request]}
      act={() => (leave ? remove(request, leave) : carryOut([request]))}
      onDone={onDone}
    >
      <p>
        <Text>{m.automations.deleteEffect(useQueueName(automation))}</Text>
      </p>
    </Ask>
  );
}
